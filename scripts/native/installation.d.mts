export function targetFolder(
  variables?: Readonly<Record<string, string | undefined>>,
): string | undefined
