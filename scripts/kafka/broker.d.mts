export interface KafkaOptions {
  readonly data: string
  readonly version?: string
  readonly listeners?: readonly KafkaListener[]
  readonly ports?: Readonly<Partial<Record<KafkaListener | 'controller', number>>>
  readonly users?: Readonly<Record<string, string>>
  readonly properties?: Readonly<Record<string, string | number>>
  readonly heapMb?: number
  readonly say?: (line: string) => void
}

export type KafkaListener = 'plaintext' | 'sasl' | 'tls' | 'sasl_tls'

export interface KafkaBroker {
  readonly data: string
  readonly logFile: string
  readonly authority: string
  readonly pid: number | undefined
  address(listener?: KafkaListener): string
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  restart(): Promise<void>
  exited(): Promise<void>
}

export function startKafka(options: KafkaOptions): Promise<KafkaBroker>
