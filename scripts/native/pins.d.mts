export const INSTALLATION: Readonly<Record<string, string>>
