/** @file A valid job file that uses every section, one setting per line, for tests that break it. */

export const JOB_TEXT = `# a comment
name: shop-feed
bus:
  kind: kafka
  brokers:
    - broker-1:9092
    - \${SECOND_BROKER}
  client_id: learner
  tls: true
  sasl:
    mechanism: plain
    username: learner
    password: { from_env: BUS_PASSWORD }
  partitions: 4
  framing: single-object
events:
  lateness_ms: 5000
  idle_ms: 1000
  dedupe:
    within_ms: 600000
    max_ids: 1000
  kinds:
    - kind: impression
      topic: impressions
      schema: impression.avsc
      anchor: true
    - kind: click
      topic: clicks
      schema: click.avsc
      id: event_id
      time: at
      time_unit: s
      key: impression_id
    - kind: like
      topic: likes
      schema: like.avsc
      label:
        field: stars
        at_least: 4
join:
  emission: staged
  retention_ms: 900000
  tasks:
    - name: click
      window_ms: 30000
    - name: great
      kind: like
      window_ms: 60000
features:
  - name: user
    kind: id
    from: user_id
  - name: tags
    kind: ids
    pooling: sum
    limit: 8
  - name: age
    kind: number
    log: true
    clip: 4
  - name: hour
    kind: hour
batch:
  count: 64
  every_ms: 10000
model:
  kind: mmoe
  dim: 8
  experts: 4
  wide: false
balance:
  kind: gradnorm
  alpha: 1.5
train:
  seed: 7
  clip_norm: 5
  dense:
    learning_rate: 0.002
publish:
  topic: model
  every_samples: 1000
observe:
  log: warn
  window: 500
  http:
    host: 127.0.0.1
    port: 0
`
