/** @file `millrace snapshot ...`: opens the model topic and calls what the action is. */

import { openFileLog } from '../src/broker/file-log/file-log.ts'
import { MillraceError } from '../src/errors.ts'
import { signerFromPem } from '../src/publish/signature.ts'
import { readSecret } from '../src/settings/environment.ts'
import type { CommandContext } from './command-context.ts'
import { openModelSource, type SourceOptions } from './serve-source.ts'
import {
  type Decision,
  type ExportFormat,
  exportSnapshot,
  pinSnapshot,
  rollBack,
} from './snapshot-change.ts'
import { diffSnapshots, listSnapshots, showSnapshot, verifySnapshots } from './snapshot-look.ts'
import type { VersionSource } from './version-list.ts'
import { withProgress } from './waiting.ts'

/** What every action takes. */
export interface SnapshotOptions extends SourceOptions {
  readonly reason?: string
  /** Where the key is that signs decisions: one of the two, or none. */
  readonly signingKeyEnv?: string
  readonly signingKeyFile?: string
}

/** The action with its own arguments. */
export type SnapshotAction =
  | { readonly kind: 'list' | 'verify' }
  | { readonly kind: 'show' | 'rollback'; readonly version: number }
  | { readonly kind: 'diff'; readonly from: number; readonly to: number }
  | { readonly kind: 'pin'; readonly version: number | undefined }
  | {
      readonly kind: 'export'
      readonly version: number | undefined
      readonly format: ExportFormat
      readonly output: string
    }

/** Runs one action; closes the log whatever happens. */
export async function snapshotCommand(
  context: CommandContext,
  options: SnapshotOptions,
  action: SnapshotAction,
): Promise<void> {
  const source = await openModelSource(options, context.environment)
  try {
    await withProgress(context, (waiting) => {
      const onRead = (offset: number, end: number): void =>
        waiting.show(() => `read ${offset} of ${end} records on ${source.topic}`)
      const print = (text: string): void => {
        waiting.finish()
        context.print(text)
      }
      return run({ ...context, print }, options, action, { ...source, onRead })
    })
  } finally {
    await source.log.close()
  }
}

async function run(
  context: CommandContext,
  options: SnapshotOptions,
  action: SnapshotAction,
  source: VersionSource,
): Promise<void> {
  switch (action.kind) {
    case 'list':
      return listSnapshots(context, source)
    case 'verify':
      return verifySnapshots(context, source)
    case 'show':
      return showSnapshot(context, source, action.version)
    case 'diff':
      return diffSnapshots(context, source, action.from, action.to)
    case 'export':
      return exportSnapshot(context, source, { ...action, sequence: action.version })
    case 'pin':
      return writable(options, source, (log) =>
        pinSnapshot(context, { ...source, log }, action.version, decisionOf(context, options)),
      )
    case 'rollback':
      return writable(options, source, (log) =>
        rollBack(context, { ...source, log }, action.version, decisionOf(context, options)),
      )
  }
}

/** A file log is opened for reading; to write a decision it is opened again. */
async function writable(
  { from }: SnapshotOptions,
  source: VersionSource,
  use: (log: VersionSource['log']) => Promise<void>,
): Promise<void> {
  if (from === undefined) return use(source.log)
  const log = await openFileLog({ path: from })
  try {
    await use(log)
  } finally {
    await log.close()
  }
}

function decisionOf(
  { environment }: CommandContext,
  { reason = '', signingKeyEnv, signingKeyFile, publicKey }: SnapshotOptions,
): Decision {
  const reference =
    signingKeyFile !== undefined
      ? { from_file: signingKeyFile }
      : signingKeyEnv !== undefined
        ? { from_env: signingKeyEnv }
        : undefined
  if (reference === undefined) {
    if (publicKey === undefined) return { reason, signer: undefined }
    throw new MillraceError('USAGE', 'consumers that trust a key take signed decisions only', {
      remedy: 'give --signing-key-file or --signing-key-env as well',
    })
  }
  return { reason, signer: signerFromPem(readSecret(reference, environment).reveal()) }
}
