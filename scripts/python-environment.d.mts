export function pythonEnvironment(): { readonly program: string; readonly packages: string }
