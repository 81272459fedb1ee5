// The folder table of docs/architecture.md as rules: the lint rule and the diagram in one.

/** Folder -> the folders it may read. Everyone may read the vocabulary files directly in src. */
export const READS = {
  wire: [],
  broker: [],
  tensors: [],
  balance: [],
  world: [],
  datasets: [],
  events: ['wire'],
  join: ['events'],
  samples: ['events', 'join'],
  features: ['samples'],
  embeddings: ['features'],
  'feature-state': ['samples', 'features', 'embeddings'],
  model: ['features', 'embeddings', 'tensors'],
  train: ['samples', 'features', 'embeddings', 'tensors', 'model', 'balance'],
  publish: ['wire', 'features', 'embeddings', 'feature-state', 'tensors', 'model', 'train'],
  serve: ['wire', 'features', 'embeddings', 'feature-state', 'tensors', 'model', 'publish'],
  observe: ['events', 'join', 'samples', 'features', 'model', 'train', 'publish', 'serve'],
}

/** Package -> the one place that may import it. */
export const DOORS = {
  avsc: '^src/wire/',
  '@kafkajs/': '^src/wire/',
  kafkajs: '^src/broker/',
  '@bokuweb/': '^src/broker/',
  'lz4-napi': '^src/broker/',
  '@tensorflow/': '^src/tensors/',
  'prom-client': '^src/observe/',
  pino: '^src/observe/',
  fastify: '^src/(observe|serve)/',
  'log-update': '^src/observe/',
  'cli-table3': '^src/observe/',
  picocolors: '^src/observe/',
  yaml: '^src/settings/',
  'csv-parse': '^src/datasets/',
  rxjs: '^topology/',
  commander: '^bin/',
  '@observablehq/': '^bench/',
  linkedom: '^bench/',
  uplot: '^web/',
}

const folderRules = Object.entries(READS).map(([folder, reads]) => ({
  name: `${folder} reads only ${reads.length === 0 ? 'the vocabulary' : reads.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/[^/]+/', pathNot: [folder, ...reads].map((name) => `^src/${name}/`) },
}))

const doorRules = Object.entries(DOORS).map(([name, home]) => ({
  name: `${name} is imported only behind ${home.replaceAll(/[\^/]/g, '')}`,
  severity: 'error',
  from: { path: '^(src|topology|bin|web)/', pathNot: home },
  to: { path: `node_modules/${name}` },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...folderRules,
    ...doorRules,
    {
      name: 'settings reads only the options that parts declare',
      severity: 'error',
      from: { path: '^src/settings/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/settings/|options\\.ts$|balancers\\.ts$|topic-rules\\.ts$|train/balancing\\.ts$' },
    },
    {
      name: 'vocabulary reads nothing but vocabulary',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: '^src/index\\.ts$' },
      to: { path: '^(src/[^/]+/|topology/|bin/)' },
    },
    {
      name: 'src never reads topology or bin; the public API names both',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/index\\.ts$' },
      to: { path: '^(topology|bin)/' },
    },
    {
      name: 'the program never reads its benches',
      severity: 'error',
      from: { path: '^(src|topology|bin)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'the page reads what is shown, and no more',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|topology|bin)/', pathNot: '^src/observe/(history|history-point|accounting)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody reads the page',
      severity: 'error',
      from: { path: '^(src|topology|bin)/' },
      to: { path: '^web/' },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no orphan imports',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@tensorflow/tfjs-node' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    includeOnly: undefined,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
}
