export function pythonClient(): string
export function pythonPackages(): string
