/** @file What topics a file log has and how they are cut: `<root>/<topic>/topic.json` beside a directory per partition. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '../../errors.ts'
import type { TopicPartition } from '../../ids.ts'
import type { TopicDefinition } from '../topic-log.ts'
import { checkSamePartitions, isTopicName, unknownTopic } from '../topic-rules.ts'
import { isMissing, isPresent, syncDirectory } from './disk.ts'

/** The directory of a partition's segments. */
export function partitionDirectory(root: string, { topic, partition }: TopicPartition): string {
  return join(root, topic, String(partition))
}

/** Makes the topic in one step, so that no reader sees half of it; BROKER if it exists in another shape. */
export function makeTopic(root: string, definition: TopicDefinition): void {
  const { topic, partitions } = definition
  // No topic name contains a tilde, so a draft that a crash left behind is never taken for a topic.
  const draft = join(root, `${topic}~${process.pid}`)
  rmSync(draft, { recursive: true, force: true })
  for (let partition = 0; partition < partitions; partition++) {
    mkdirSync(join(draft, String(partition)), { recursive: true })
  }
  writeFileSync(join(draft, 'topic.json'), `${JSON.stringify(definition, null, 2)}\n`, {
    flush: true,
  })
  try {
    renameSync(draft, join(root, topic))
    syncDirectory(root)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!isPresent(error)) throw error
    checkSamePartitions(readTopic(root, topic).partitions, definition)
  }
}

/** The topic as it was made. Throws BROKER when there is none, CORRUPT when its definition cannot be read. */
export function readTopic(root: string, topic: string): TopicDefinition {
  const path = join(root, topic, 'topic.json')
  let text: string
  try {
    if (!isTopicName(topic)) throw unknownTopic(topic, root, listTopics(root))
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) throw unknownTopic(topic, root, listTopics(root))
    throw error
  }
  const definition = parseDefinition(text)
  if (definition !== undefined) return definition
  throw new MillraceError('CORRUPT', `${path} is no topic definition`, {
    remedy: 'Restore it: topic, partitions and cleanup (delete or compact) as JSON.',
  })
}

/** Names of all topics, sorted. */
export function listTopics(root: string): string[] {
  const names = readdirSync(root).filter((name) => isTopicName(name))
  return names.filter((name) => existsSync(join(root, name, 'topic.json'))).sort()
}

function parseDefinition(text: string): TopicDefinition | undefined {
  try {
    const found = JSON.parse(text) as Partial<TopicDefinition> | null
    const whole =
      typeof found?.topic === 'string' &&
      Number.isInteger(found.partitions) &&
      (found.cleanup === 'delete' || found.cleanup === 'compact')
    return whole ? (found as TopicDefinition) : undefined
  } catch {
    return undefined
  }
}
