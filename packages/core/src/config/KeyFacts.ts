/**
 * What each key of a configuration expects, in words, with an example.
 */
import { notificationKinds } from "../domain/notification/Kinds.ts"

interface Fact {
  readonly expected: string
  readonly example: string
  /** Whether a wrong text may be quoted: words from a fixed list and durations, never free text. */
  readonly quote?: boolean
}

const span = (example: string): Fact => ({
  expected: `a span of time such as ${JSON.stringify(example)}, at most 30 days`,
  example: JSON.stringify(example),
  quote: true
})
const name = (example: string): Fact => ({
  expected: "a name of 1 to 128 characters",
  example: JSON.stringify(example)
})
const yesOrNo: Fact = { expected: "true or false", example: "true" }
const whole = (least: number, example: number): Fact => ({
  expected: `a whole number of at least ${least}`,
  example: String(example)
})
const words = (...list: ReadonlyArray<string>): Fact => ({
  expected: list.map((word) => JSON.stringify(word)).join(" or "),
  example: JSON.stringify(list[0]),
  quote: true
})
const object = (expected: string, example: string): Fact => ({ expected, example })

const facts: Readonly<Record<string, Fact>> = {
  "": object(
    "a configuration object",
    `{ "organization": "acme", "project": "shop", "environments": {}, "stacks": [] }`
  ),
  organization: name("acme"),
  project: name("shop"),
  template: name("default"),
  environments: object("an object with one entry for each environment", `{ "production": {} }`),
  environment: object("an object with account, region and stacks of an environment", `{ "region": "eu-west-1" }`),
  overrides: object("an object with one entry for each stack that differs", `{ "web": { "enabled": false } }`),
  override: object("an object with what differs in this environment", `{ "enabled": false }`),
  account: name("123456789012"),
  region: name("eu-west-1"),
  stacks: object("a list of at least one stack", `[{ "name": "web", "provider": "local" }]`),
  stack: object("a stack", `{ "name": "web", "provider": "local" }`),
  parallelism: whole(1, 4),
  rollback: yesOrNo,
  retention: { ...span("90 days"), expected: "a span of time from 1 to 3650 days" },
  leaseTtl: { ...span("15 seconds"), expected: "a span of time from 1 second to 30 days" },
  queue: words("fifo", "latest_wins", "reject"),
  store: {
    expected: "the URL of a store, without a password",
    example: `"postgres://deployer@db.example.com/signalbox"`
  },
  plugins: object("a list of plug-ins", `["@signalbox/provider-aws"]`),
  pluginEntry: object("a plug-in, or the name of its package", `"@signalbox/provider-aws"`),
  plugin: name("@signalbox/provider-aws"),
  requires: object("a list of deployments that have to be there first", `[{ "deployment": "DX6604E" }]`),
  requirement: object("an object with deployment and environment", `{ "deployment": "DX6604E" }`),
  deployment: { expected: "a deployment id such as DX6604E", example: `"DX6604E"` },
  environmentName: {
    expected: "an environment name of 1 to 63 lower-case letters, digits or '-'",
    example: `"production"`
  },
  freezes: object(
    "a list of freezes",
    `[{ "name": "weekend", "cron": "0 18 * * 5", "duration": "62 hours", "timezone": "Europe/Berlin" }]`
  ),
  freeze: object(
    "a freeze with cron and duration, or with from and until",
    `{ "name": "holidays", "from": "2026-12-24", "until": "2026-12-26" }`
  ),
  freezeName: name("weekend"),
  reason: { expected: "a reason of 1 to 256 characters", example: `"no one is on call"` },
  frozenEnvironments: object("a list of at least one environment", `["production"]`),
  timezone: { expected: "the name of an IANA time zone", example: `"Europe/Berlin"` },
  cron: { expected: "a cron of five fields: minute, hour, day, month, weekday", example: `"0 18 * * 5"` },
  duration: { ...span("62 hours"), expected: "a span of time from 1 minute to 30 days" },
  from: { expected: "a local date, or a local date and time", example: `"2026-12-24T18:00"` },
  until: { expected: "a local date, or a local date and time, after the beginning", example: `"2026-12-26"` },
  name: {
    expected: "a stack name of 1 to 63 lower-case letters, digits or '-', starting with a letter",
    example: `"web"`
  },
  provider: { expected: "the kind of an installed provider", example: `"local"` },
  enabled: yesOrNo,
  dependsOn: object("a list of stack names, or of objects with stack and lockstep", `["database"]`),
  edge: object("an object with stack and lockstep", `{ "stack": "database", "lockstep": true }`),
  lockstep: yesOrNo,
  strategy: object("a strategy with a type", `{ "type": "canary" }`),
  type: words("all_at_once", "rolling", "blue_green", "canary"),
  batches: whole(1, 4),
  bake: span("5 minutes"),
  approval: object("an object with expiresIn and otherwise", `{ "expiresIn": "1 hour", "otherwise": "abort" }`),
  expiresIn: span("1 hour"),
  otherwise: words("abort", "continue"),
  steps: object("a list of at least one canary step", `[{ "weight": 10, "bake": "5 minutes" }]`),
  step: object("a canary step", `{ "weight": 10, "bake": "5 minutes" }`),
  weight: { expected: "a number above 0 and up to 100", example: "10" },
  gate: object("a gate", `{ "maxErrorCount": 10, "errorWindow": "5 minutes" }`),
  minHealthyPercentage: { expected: "a number from 0 to 100", example: "80" },
  maxErrorCount: whole(0, 10),
  errorWindow: span("5 minutes"),
  maxResponseTime: span("2 seconds"),
  responseTime: words("mean", "p95"),
  gracePeriod: span("5 minutes"),
  interval: span("10 seconds"),
  consecutivePasses: whole(1, 3),
  minSamples: whole(0, 20),
  compare: object("an object with how to compare with the stable release", `{}`),
  alarms: object("a list of names of alarms", `["api-5xx"]`),
  alarm: name("api-5xx"),
  alpha: { expected: "a number from 0.0001 to 0.2", example: "0.05" },
  maxErrorRatio: { expected: "a number from 1 to 100", example: "1" },
  minErrorEffect: { expected: "a number from 1 to 100", example: "1.25" },
  confidence: { expected: "a number from 0.5 to 0.9999", example: "0.98" },
  tolerance: { expected: "a number from 0 to 100", example: "0.25" },
  minLatencyEffect: { expected: "a number from 0.5 to 1", example: "0.56" },
  comparedSamples: whole(1, 50),
  metrics: object(
    "a metric source with url and queries",
    `{ "source": "prometheus", "url": "http://prometheus:9090", "queries": { "requests": "…", "errors": "…" } }`
  ),
  source: name("prometheus"),
  url: { expected: "a text of 1 to 2048 characters", example: `"http://prometheus:9090"` },
  queries: object("an object with one query for each measurement", `{ "requests": "…", "errors": "…" }`),
  query: { expected: "a text of 1 to 2048 characters", example: `"sum(up)"` },
  resolution: { ...span("1 minute"), expected: "a span of time from 1 second to 1 day" },
  lag: span("30 seconds"),
  tokenFrom: name("PROMETHEUS_TOKEN"),
  irreversible: { expected: "a reason of 1 to 128 characters", example: `"it migrates the database"` },
  timeout: span("30 minutes"),
  onBusy: words("wait", "fail"),
  properties: object("an object that its provider understands", `{}`),
  notifications: object(
    "an object with channels, routes and escalate",
    `{ "channels": { "terminal": { "kind": "console" } } }`
  ),
  channels: object("an object with one entry for each channel", `{ "terminal": { "kind": "console" } }`),
  channel: object("an object with kind and options of a channel", `{ "kind": "console" }`),
  channelKind: { expected: "the kind of an installed notifier", example: `"console"` },
  options: object("an object that its notifier understands", `{}`),
  routes: object("a list of routes", `[{ "when": { "severity": "critical" }, "to": "terminal" }]`),
  route: object("an object with when, to, atMost and group", `{ "when": { "kind": "failed" }, "to": "terminal" }`),
  when: object("an object with environment, stack, kind, severity or hours", `{ "environment": "production" }`),
  to: { expected: "the name of a channel, or a list of them", example: `"terminal"` },
  atMost: span("30 seconds"),
  group: span("15 minutes"),
  acknowledge: object(
    "an object with url, secret and validFor",
    `{ "url": "https://deployments.example.com/acknowledge", "secret": { "$secret": "ACK_SECRET" } }`
  ),
  acknowledgeUrl: { expected: "a URL", example: `"https://deployments.example.com/acknowledge"` },
  acknowledgeSecret: { expected: "a reference to a secret", example: `{ "$secret": "ACK_SECRET" }` },
  validFor: span("7 days"),
  links: object("an object with trace", `{ "trace": "https://traces.example.com/trace/\${trace}" }`),
  traceUrl: { expected: "a URL with ${trace}", example: `"https://traces.example.com/trace/\${trace}"` },
  hours: object("an object with from, until, days and timezone", `{ "from": "08:00", "until": "18:00" }`),
  timeOfDay: { expected: "a time of day from 00:00 to 24:00", example: `"08:00"` },
  days: object("a list of weekdays", `["mon", "fri"]`),
  weekday: words("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
  escalate: object("a list of escalations", `[{ "after": "15 minutes", "to": "pager" }]`),
  escalation: object("an object with after, to and when", `{ "after": "15 minutes", "to": "pager" }`),
  after: span("15 minutes"),
  severity: words("critical", "warning", "info"),
  notificationKind: words(...notificationKinds)
}

/** The words for one key. */
export const fact = (key: string): Fact => facts[key] ?? { expected: "a valid value", example: "" }
