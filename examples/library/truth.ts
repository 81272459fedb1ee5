// How well could any model rank the simulated app's impressions? Its true probabilities are known, so this can be measured.
import {
  auc,
  aucInterval,
  calibrationRatio,
  groupedAuc,
  logLoss,
  normalizedEntropy,
  Truth,
  World,
  worldOptions,
} from 'millrace'

const options = worldOptions.parse({ seed: 7, impressions: 5_000 })
const truth = new Truth(options)
const userOf = new Map<string, string>() // by impression
const clicked = new Set<string>()
for (const { kind, value } of new World(options).pull(Number.POSITIVE_INFINITY)) {
  const id = String(value['impression_id'])
  if (kind === 'impression') userOf.set(id, String(value['user_id']))
  if (kind === 'click') clicked.add(id)
}

const probabilities: number[] = []
const labels: number[] = []
const users: number[] = []
const numberOf = new Map<string, number>()
for (const [id, user] of userOf) {
  const p = truth.probabilities(id)
  if (p === undefined) continue // no impression of this world
  if (!numberOf.has(user)) numberOf.set(user, numberOf.size)
  probabilities.push(p.click)
  labels.push(clicked.has(id) ? 1 : 0)
  users.push(numberOf.get(user) ?? -1)
}

const clickRate = clicked.size / labels.length
console.log('impressions', labels.length)
console.log('AUC', auc(probabilities, labels), aucInterval(probabilities, labels, { seed: 1 }))
console.log('AUC within users', groupedAuc(probabilities, labels, users).gauc)
console.log('calibration', calibrationRatio(probabilities, labels))
console.log('normalised entropy', normalizedEntropy(logLoss(probabilities, labels) ?? 0, clickRate))
