/** @file The live block on a terminal: what the learner does now, redrawn in place (door for log-update). */

import type { Writable } from 'node:stream'
import { createLogUpdate } from 'log-update'
import { createColors } from 'picocolors'
import { formatBytes, formatCount, formatFigure, formatSeconds, formatTime } from './format.ts'
import type { TaskQuality } from './report.ts'
import type { Status } from './status.ts'

/** How the block is drawn. */
export interface RenderOptions {
  /** ANSI colours; see `wantsColor`. */
  readonly color: boolean
}

/** Colours only on a terminal, and not when NO_COLOR (no-color.org) is set to anything. */
export function wantsColor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb'
}

/** The block as text, without a newline at its end; a pure function of its arguments. */
export function renderStatus(status: Status, { color }: RenderOptions): string {
  const { bold, dim, cyan, red } = createColors(color)
  const pace = [
    `${formatCount(status.eventsPerSecond)} events/s`,
    `${formatCount(status.samplesPerSecond)} samples/s`,
    `${formatCount(status.events)} events`,
    `${formatCount(status.samples)} samples`,
  ]
  const behind = [
    `${formatCount(status.lagRecords)} records behind`,
    `watermark ${formatTime(status.watermark)}`,
  ]
  const lines = [
    `${bold('millrace')} ${status.job}  ${dim(`engine ${status.engine}`)}`,
    pace.join(dim(' · ')),
    ...status.tasks.map((task) => taskLine(task, taskWidth(status.tasks), cyan)),
    versionLine(status),
    behind.join(dim(' · ')),
  ]
  for (const { message } of status.verdict?.findings ?? []) {
    lines.push(`${red('held back')} ${message}`)
  }
  if (status.metricsUrl !== undefined) lines.push(`page ${cyan(`${status.metricsUrl}/`)}`)
  return lines.join('\n')
}

/** Redraws the block in place. */
export interface Progress {
  show(status: Status): void
  /** Leaves the last block on the screen and gives the cursor back. */
  finish(): void
}

/** Progress on a terminal; without one the caller logs lines instead. */
export function terminalProgress(stream: Writable, options: RenderOptions): Progress {
  const update = createLogUpdate(stream)
  return {
    show: (status) => update(renderStatus(status, options)),
    finish: () => update.done(),
  }
}

function taskWidth(tasks: readonly TaskQuality[]): number {
  return Math.max(0, ...tasks.map(({ task }) => task.length))
}

function taskLine(
  { task, window }: TaskQuality,
  width: number,
  paint: (text: string) => string,
): string {
  const figures = [
    `AUC ${formatFigure(window.auc)}`,
    `calibration ${formatFigure(window.calibrationRatio)}`,
    `NE ${formatFigure(window.normalizedEntropy)}`,
  ]
  return `  ${paint(task.padEnd(width))}  ${figures.join('  ')}`
}

function versionLine({ version, freshnessSeconds }: Status): string {
  if (version === undefined) return 'no version published yet'
  const { sequence, update, bytes } = version
  const fresh =
    freshnessSeconds === undefined ? '' : `, ${formatSeconds(freshnessSeconds)} after the event`
  return `version ${sequence} (${update}, ${formatBytes(bytes)}${fresh})`
}
