/**
 * Broken configurations and broken command lines, drawn from what people get wrong.
 */
import * as FastCheck from "fast-check"

/** Stands for a secret; no message may contain it. */
export const secret = "hunter2-hunter2-hunter2"

const good = () => ({
  organization: "acme",
  project: "shop",
  environments: {
    staging: {},
    production: { region: "eu-west-1", stacks: { web: { gate: { maxErrorCount: 1 }, properties: { instances: 2 } } } }
  } as Record<string, any>,
  parallelism: 2,
  leaseTtl: "10 seconds",
  queue: "fifo",
  requires: [{ deployment: "DX6604E", environment: "shared" }] as Array<any>,
  freezes: [
    { name: "weekend", cron: "0 18 * * 5", duration: "62 hours", timezone: "Europe/Berlin" },
    {
      name: "holidays",
      reason: "no one is on call",
      environments: ["production"],
      from: "2026-12-24",
      until: "2026-12-26"
    }
  ] as Array<any>,
  stacks: [
    { name: "database", provider: "local", properties: { command: ["node", "db.mjs"], artifact: "db" } },
    {
      name: "api",
      provider: "local",
      dependsOn: ["database"],
      strategy: {
        type: "canary",
        steps: [
          { weight: 10, bake: "1 second" },
          { weight: 50, approval: { expiresIn: "1 hour" } }
        ]
      },
      gate: { minSamples: 5, responseTime: "p95", interval: "1 second" },
      properties: {
        command: ["node", "api.mjs"],
        env: { GREETING: secret, TOKEN: { $secret: "API_TOKEN" }, DB: { $output: "database.url" } }
      }
    },
    {
      name: "web",
      provider: "local",
      dependsOn: ["api"],
      strategy: { type: "rolling", batches: 2 },
      timeout: "5 minutes",
      properties: { command: ["node", "web.mjs"], readiness: { path: "/health" }, env: { API: { $output: "api.url" } } }
    }
  ] as Array<any>
})
type Good = ReturnType<typeof good>

export const goodConfig = good

/** An environment that a command has to name. */
export const environment = "production"

const wrongTypes = FastCheck.constantFrom<unknown>(null, [], {}, "", -1, 1.5, true, secret, [[1]], { a: secret })
const identifiers = FastCheck.stringMatching(/^[a-z]{3,12}$/).map((name) => `x${name}`)

/** Takes a key away that is required. */
const removed = FastCheck.constantFrom<(config: Good) => void>(
  (config) => {
    delete (config as any).organization
  },
  (config) => {
    delete (config as any).project
  },
  (config) => {
    delete (config as any).environments
  },
  (config) => {
    delete (config as any).stacks
  },
  (config) => {
    delete config.stacks[0].name
  },
  (config) => {
    delete config.stacks[2].provider
  },
  (config) => {
    delete config.stacks[1].properties.command
  },
  (config) => {
    delete config.stacks[1].strategy.type
  },
  (config) => {
    delete config.stacks[1].strategy.steps[0].weight
  },
  (config) => {
    config.stacks = []
  },
  (config) => {
    config.environments = {}
  },
  (config) => {
    delete config.requires[0].deployment
  },
  (config) => {
    delete config.freezes[0].name
  },
  (config) => {
    delete config.freezes[0].cron
  },
  (config) => {
    delete config.freezes[1].until
  }
)

type Path = ReadonlyArray<string | number>
const places: ReadonlyArray<readonly [Path, (value: unknown) => boolean]> = [
  [["organization"], (value) => typeof value !== "string" || value === ""],
  [["parallelism"], (value) => typeof value !== "number" || !Number.isInteger(value) || value < 1],
  [["leaseTtl"], () => true],
  [["rollback"], (value) => typeof value !== "boolean"],
  [["queue"], () => true],
  [["requires"], (value) => !isEmptyList(value)],
  [["requires", 0], () => true],
  [["requires", 0, "deployment"], () => true],
  [["requires", 0, "environment"], (value) => value !== secret],
  [["freezes"], (value) => !isEmptyList(value)],
  [["freezes", 0], () => true],
  [["freezes", 0, "name"], (value) => typeof value !== "string" || value === ""],
  [["freezes", 0, "cron"], () => true],
  [["freezes", 0, "duration"], () => true],
  [["freezes", 0, "timezone"], () => true],
  [["freezes", 1, "reason"], (value) => typeof value !== "string" || value === ""],
  [["freezes", 1, "environments"], () => true],
  [["freezes", 1, "environments", 0], () => true],
  [["freezes", 1, "from"], () => true],
  [["freezes", 1, "until"], () => true],
  [["environments"], () => true],
  [["environments", "production"], (value) => !isEmptyObject(value)],
  [["environments", "production", "region"], (value) => typeof value !== "string" || value === ""],
  [["environments", "production", "stacks", "web"], (value) => !isEmptyObject(value)],
  [["stacks"], () => true],
  [["stacks", 0], () => true],
  [["stacks", 0, "name"], (value) => value !== secret],
  [["stacks", 0, "provider"], () => true],
  [["stacks", 0, "enabled"], (value) => typeof value !== "boolean"],
  [["stacks", 0, "timeout"], () => true],
  [["stacks", 1, "dependsOn"], (value) => !isEmptyList(value)],
  [["stacks", 1, "strategy"], () => true],
  [["stacks", 1, "strategy", "steps"], () => true],
  [["stacks", 1, "strategy", "steps", 0, "weight"], (value) => value !== 1.5],
  [["stacks", 1, "strategy", "steps", 0, "bake"], () => true],
  [["stacks", 1, "gate", "minSamples"], () => true],
  [["stacks", 1, "gate", "responseTime"], () => true],
  [["stacks", 1, "gate", "interval"], () => true],
  [["stacks", 1, "properties", "command"], () => true],
  [["stacks", 1, "properties", "instances"], () => true],
  [["stacks", 1, "properties", "drain"], () => true],
  [["stacks", 2, "strategy", "batches"], () => true],
  [["stacks", 2, "properties", "readiness"], (value) => !isEmptyObject(value)]
]
const isEmptyObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const put = (config: any, path: Path, value: unknown): void => {
  const [last, ...above] = path.toReversed()
  above.toReversed().reduce((inside, key) => inside[key], config)[last!] = value
}

const mistyped = FastCheck.tuple(FastCheck.constantFrom(...places), wrongTypes)
  .filter(([[, isWrong], value]) => isWrong(value))
  .map(
    ([[path], value]) =>
      (config: Good) =>
        put(config, path, value)
  )

const objects: ReadonlyArray<Path> = [
  [],
  ["requires", 0],
  ["freezes", 0],
  ["freezes", 1],
  ["environments", "production"],
  ["environments", "production", "stacks", "web"],
  ["environments", "production", "stacks", "web", "gate"],
  ["environments", "production", "stacks", "web", "properties"],
  ["stacks", 0],
  ["stacks", 1, "strategy"],
  ["stacks", 1, "strategy", "steps", 0],
  ["stacks", 1, "strategy", "steps", 1, "approval"],
  ["stacks", 1, "gate"],
  ["stacks", 1, "properties"],
  ["stacks", 2, "properties", "readiness"]
]
const unknownKeys = FastCheck.tuple(FastCheck.constantFrom(...objects), identifiers).map(
  ([path, key]) =>
    (config: Good) =>
      put(config, [...path, key], secret)
)

const misfits = FastCheck.constantFrom<(config: Good) => void>(
  (config) => {
    config.stacks[1].name = "database"
  },
  (config) => {
    config.stacks[0].name = "Data Base"
  },
  (config) => {
    config.stacks[0].dependsOn = ["web"]
  },
  (config) => {
    config.stacks[0].dependsOn = ["database"]
  },
  (config) => {
    config.stacks[1].dependsOn = ["databse"]
  },
  (config) => {
    config.stacks[1].dependsOn = []
  },
  (config) => {
    config.stacks[1].provider = "lokal"
  },
  (config) => {
    config.stacks[1].provider = "cloudrun"
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: "databse.url" }
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: "database.uri" }
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: "web.url" }
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: "api.url" }
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: 7 }
  },
  (config) => {
    config.stacks[1].properties.env.DB = { $output: "database.url", and: secret }
  },
  (config) => {
    config.stacks[1].strategy.type = "canry"
  },
  (config) => {
    config.stacks[1].strategy = "canary"
  },
  (config) => {
    config.stacks[1].strategy.steps[1].weight = 10
  },
  (config) => {
    config.stacks[1].strategy.steps[0].weight = 0
  },
  (config) => {
    config.stacks[1].strategy.steps[0].weight = 101
  },
  (config) => {
    config.stacks[1].gate.gracePeriod = "5 minuts"
  },
  (config) => {
    config.stacks[1].gate.maxResponseTime = "90 days"
  },
  (config) => {
    config.leaseTtl = "10 millis"
  },
  (config) => {
    config.environments.Production = {}
  },
  (config) => {
    config.environments.production.stacks.wbe = {}
  },
  (config) => {
    config.environments.production.stacks.web.strategy = { type: "blue" }
  },
  (config) => {
    config.environments.production.stacks.web.properties = { instances: 0 }
  },
  (config) => {
    ;(config as any).freeze = config.freezes
  },
  (config) => {
    config.queue = "latest"
  },
  (config) => {
    config.requires[0].deployment = "shop"
  },
  (config) => {
    config.freezes[0].timezone = "Europe/Berln"
  },
  (config) => {
    config.freezes[0].timezone = "+02:00"
  },
  (config) => {
    config.freezes[0].until = "2026-12-26"
  },
  (config) => {
    config.freezes[0].name = "holidays"
  },
  (config) => {
    config.freezes[1].until = "2026-12-23"
  },
  (config) => {
    config.freezes[1].from = "2026-02-30"
  },
  (config) => {
    config.freezes[1].from = "2026-12-24T18:00Z"
  },
  (config) => {
    config.freezes[1].environments = ["prodution"]
  }
)

const badFields: ReadonlyArray<readonly [field: number, bad: string]> = [
  ...["60", "*/0", "-1", "1-", secret].map((bad) => [0, bad] as const),
  ...["24", "5-1", "1..3"].map((bad) => [1, bad] as const),
  ...["32", "0", "L"].map((bad) => [2, bad] as const),
  ...["13", "0", "frb"].map((bad) => [3, bad] as const),
  ...["8", "fryday", "1,2,"].map((bad) => [4, bad] as const)
]

/** Crons that cannot be read, that no day matches or whose windows leave no break. */
const badCrons = FastCheck.oneof(
  FastCheck.constantFrom(...badFields).map(([field, bad]) => ["0", "18", "*", "*", "5"].with(field, bad).join(" ")),
  FastCheck.constantFrom("0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * * * *", "0 0 * * *"),
  FastCheck.constantFrom("0 18 * *", "0 0 18 * * 5", "@daily", secret)
).map((cron) => (config: Good) => put(config, ["freezes", 0, "cron"], cron))

const badDurations = FastCheck.constantFrom("7 days", "30 days", "31 days", "59 seconds", "0 millis", "62 ours").map(
  (duration) => (config: Good) => put(config, ["freezes", 0, "duration"], duration)
)

/** The text of a broken configuration file. Some are broken more than once. */
export const brokenConfig: FastCheck.Arbitrary<string> = FastCheck.oneof(
  {
    weight: 12,
    arbitrary: FastCheck.array(FastCheck.oneof(removed, mistyped, unknownKeys, misfits, badCrons, badDurations), {
      minLength: 1,
      maxLength: 3
    }).map((breaks) => {
      const config = good()
      for (const one of breaks) {
        try {
          one(config)
        } catch {
          // Another break took away what this one is about.
        }
      }
      return JSON.stringify(config, null, 2)
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.integer({ min: 0, max: 400 }).map((length) => JSON.stringify(good(), null, 2).slice(0, length))
  },
  {
    weight: 1,
    arbitrary: FastCheck.jsonValue()
      .filter((value) => !isObject(value))
      .map((value) => JSON.stringify(value))
  }
)
const isObject = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0

const id = "DX6604E"
const lines: ReadonlyArray<ReadonlyArray<string>> = [
  ["init"],
  ["info", id],
  ["list"],
  ["deploy", id],
  ["deploy-stack", id, "web"],
  ["rollback", id],
  ["destroy", id, "--yes"],
  ["destroy-stack", id, "web", "--yes"],
  ["status", id],
  ["history"],
  ["watch", id],
  ["metrics"],
  ["active"],
  ["events", id],
  ["pause", id],
  ["resume", id],
  ["approve", id],
  ["promote", id],
  ["abort", id],
  ["retry", id],
  ["attach", id],
  ["health", id],
  ["completions", "bash"]
]
const commands = lines.map(([name]) => name!)
const base = FastCheck.constantFrom(...lines)

const badValues: ReadonlyArray<readonly [command: string, ...flags: ReadonlyArray<string>]> = [
  ["history", "--limit", "0"],
  ["history", "--limit", "1001"],
  ["history", "--limit", "many"],
  ["history", "--limit", "1.5"],
  ["history", "--status", "done"],
  ["history", "--limit"],
  ["history", "--limit", "2", "--limit", "3"],
  ["metrics", "--hours", "0"],
  ["metrics", "--hours", "-3"],
  ["metrics", "--hours", "x"],
  ["watch", "--interval", "0"],
  ["watch", "--interval", "2s"],
  ["health", "--min-healthy", "101"],
  ["health", "--max-errors", "-1"],
  ["deploy", "--strategy", "canry"],
  ["deploy", "--correlation-id", "with space"],
  ["deploy", "--correlation-id", ""],
  ["deploy", "--version"],
  ["deploy", "--version", ""],
  ["deploy", "--by", ""],
  ["deploy", "--wait", "--detach"],
  ["deploy-stack"],
  ["deploy-stack", id],
  ["deploy-stack", id, "Web App"],
  ["destroy-stack", id],
  ["destroy", "--confirm", "DX6604F"],
  ["destroy", id],
  ["approve", "--stack", "UPPER"],
  ["events", "--type", "Nothing"],
  ["events", "--after", "-1"],
  ["completions"],
  ["completions", "powershell"],
  ["completions", "tcsh"],
  ["status", "not an id"],
  ["info", "DX66"],
  ["deploy", "dx6604e"]
]

/** A broken command line. */
export const brokenLine: FastCheck.Arbitrary<ReadonlyArray<string>> = FastCheck.oneof(
  // A command that is not one: a letter too much, one too few, two exchanged, or something else altogether.
  FastCheck.tuple(
    FastCheck.constantFrom(...commands),
    FastCheck.nat(),
    FastCheck.constantFrom("add", "drop", "swap", "other")
  )
    .map(([name, position, how]) => {
      const at = position % name.length
      if (how === "add") return [`${name.slice(0, at)}x${name.slice(at)}`]
      if (how === "drop") return [`${name.slice(0, at)}${name.slice(at + 1)}`]
      if (how === "swap" && at > 0) return [`${name.slice(0, at - 1)}${name[at]}${name[at - 1]}${name.slice(at + 1)}`]
      return [`${name}ify`]
    })
    .filter(([name]) => name !== "" && !commands.includes(name!)),
  // A flag that is not one, long or short, before or after the command.
  FastCheck.tuple(base, identifiers, FastCheck.constantFrom("--", "-"), FastCheck.boolean()).map(
    ([line, name, dashes, first]) => {
      const flag = dashes === "--" ? `--${name}` : "-Z"
      return first ? [flag, ...line] : [...line, flag]
    }
  ),
  // A flag of another command.
  base.filter(([name]) => !["history", "events"].includes(name!)).map((line) => [...line, "--limit", "5"]),
  // An argument too many.
  FastCheck.tuple(
    base.filter((line) => line.length > 1),
    identifiers
  ).map(([line, extra]) => [...line, extra, extra, extra]),
  // An environment that cannot be one, or no value for a flag that wants one.
  FastCheck.tuple(
    base,
    FastCheck.constantFrom(
      ["--environment", "Not Valid"],
      ["-e", ""],
      ["--environment"],
      ["--config"],
      ["-e", "a", "-e", "b"]
    )
  ).map(([line, flags]) => [...line, ...flags]),
  FastCheck.constantFrom(...badValues).map((line) => [...line])
)
