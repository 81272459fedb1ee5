export const KAFKA_VERSION: string
export function missingForKafka(version?: string): string[]
export function kafkaClassPath(options?: {
  readonly version?: string
  readonly say?: (line: string) => void
}): Promise<string>
