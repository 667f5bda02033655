/**
 * What `--json` prints, command by command, against recorded answers in `golden/`: the names in them are API. After a
 * deliberate change: `vitest run packages/cli/test/golden.test.ts -u`, and a look at the diff.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { memoryBackend, runWith, temporary } from "./support.ts"

const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "5 seconds",
  stacks: [
    { name: "db", provider: "simulated", gate },
    { name: "web", provider: "simulated", dependsOn: ["db"], gate }
  ]
}
const id = "DX6604E"
const web: StackRef = {
  deploymentId: DeploymentId.make(id),
  environment: EnvironmentName.make("production"),
  stack: StackName.make("web"),
  properties: {}
}

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
beforeAll(async () => {
  cwd = temporary("golden")
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  world = await memoryBackend({ capabilities: { logs: true } })
})
afterAll(async () => {
  await world.close()
  Fs.rmSync(cwd, { recursive: true, force: true })
})

// The stores are in memory; a database address says that there is no folder to look for.
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada", SIGNALBOX_ENVIRONMENT: "production" }

/** Keys whose values are times of this machine, or follow from them. */
const measured =
  /^(?:ms|\w*Ms|signalbox\.(?:\w+_ms|requests)|p50|p90|mean|p95|position|fence|few|none|exceeded|requests|value|n)$/

/** Takes out what differs from run to run: times, process names, folders. */
const settled = (value: unknown, key = ""): unknown => {
  if (typeof value === "string") {
    return value
      .replaceAll(cwd, "<folder>")
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "<time>")
      .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "<clock>")
      .replaceAll(/\b\d+(?:m|d|h|s|ms)(?: \d+(?:ms|s|m|h))*\b/g, "<span>")
      .replaceAll(/(?<= )[\d.]+ requests?\b/g, "<number> requests")
      .replaceAll(/(?<= )[\d.]+(?= ms)|(?<=n = )\d+|\b\d{10,}\b/g, "<number>")
      .replaceAll(/^\w+~(?=second$)/g, "<cursor>~")
      .replaceAll(/\brunner\/\d+\b/g, "<process>")
  }
  if (typeof value === "number") {
    return value > 1_700_000_000_000 ? "<time>" : measured.test(key) ? "<number>" : value
  }
  if (Array.isArray(value)) return value.map((one) => settled(one, key))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, settled(one, name)]))
}

const parsed = (text: string): ReadonlyArray<unknown> =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => settled(JSON.parse(line)))

/** Everything that a command line prints, with its exit code. */
const answer = async (argv: ReadonlyArray<string>) => {
  const detach = () => Effect.succeed(4711)
  if (argv[0] === "logs") await Effect.runPromise(world.cloud.write(web, "listening on 8080"))
  const { code, stderr, stdout } = await runWith(world.backend, cwd, [...argv, "--json"], { env, detach })
  return { argv: argv.join(" "), exitCode: code, stdout: parsed(stdout), stderr: parsed(stderr) }
}

// One story, in order: each command meets what those before it left.
const story: ReadonlyArray<readonly [name: string, ...argv: ReadonlyArray<string>]> = [
  ["list-empty", "list"],
  ["init", "init", "--id", id],
  ["init-again", "init", "--id", id],
  ["info", "info", id],
  ["status-initialized", "status", id],
  ["deploy-dry-run", "deploy", id, "--version", "v1", "--dry-run", "--correlation-id", "plan"],
  [
    "deploy",
    "deploy",
    id,
    "--version",
    "v1",
    "--correlation-id",
    "first",
    "--commit",
    "0123abc",
    "--reason",
    "a start"
  ],
  ["deploy-joined", "deploy", id, "--version", "v1", "--correlation-id", "first"],
  ["deploy-stack", "deploy-stack", id, "web", "--version", "v2", "--correlation-id", "second"],
  ["status-deployed", "status", id],
  ["status-execution", "status", "first"],
  ["attach-finished", "attach", "first"],
  ["list", "list"],
  ["history", "history", id, "--limit", "1"],
  ["events", "events", "first"],
  ["events-follow", "events", "first", "--follow", "--type", "ExecutionTransitioned"],
  ["watch", "watch", "first"],
  ["trace", "trace", "first"],
  ["replay", "replay", "first"],
  ["metrics", "metrics", id],
  ["report", "report", id, "--calibration"],
  ["health", "health", id],
  ["logs", "logs", id, "web"],
  ["logs-unknown", "logs", id, "wep"],
  ["can-deploy", "can-deploy", id, "--version", "v3"],
  ["deploy-detached", "deploy", id, "--version", "v3", "--correlation-id", "third", "--detach"],
  ["active-lease", "active", id],
  ["lock-show-lease", "lock", "show", id],
  ["deploy-blocked", "deploy", id, "--version", "v4"],
  ["register", "register", id, "--correlation-id", "fourth", "--version", "v4", "--queue", "fifo"],
  ["register-again", "register", id, "--correlation-id", "fourth", "--version", "v4", "--queue", "fifo"],
  ["can-deploy-blocked", "can-deploy", id, "--version", "v5", "--explain"],
  ["status-queued", "status", "fourth"],
  ["lock-show-queue", "lock", "show", id],
  ["pause", "pause", "third"],
  ["abort", "abort", "third"],
  ["attach-aborted", "attach", "third"],
  ["wait", "wait", "fourth", "--hold", "1m"],
  ["active-waiting", "active", id],
  ["cleanup", "cleanup", "fourth", "--status", "succeeded"],
  ["cleanup-nothing", "cleanup", "none"],
  ["wait-free", "wait", id],
  ["lock-hold", "lock", "hold", id, "--reason", "audit", "--until", "2 hours"],
  ["lock-hold-other", "lock", "hold", id, "--reason", "mine", "--by", "bob"],
  ["lock-show-held", "lock", "show", id],
  ["can-deploy-held", "can-deploy", id],
  ["active-held", "active", id],
  ["events-audit", "events", id, "--audit"],
  ["lock-release", "lock", "release", id, "--reason", "done"],
  ["lock-release-again", "lock", "release", id, "--reason", "done"],
  ["veto", "veto", "v9", id, "--reason", "leaks"],
  ["can-deploy-vetoed", "can-deploy", id, "--version", "v9"],
  ["deploy-vetoed", "deploy", id, "--version", "v9"],
  ["veto-lift", "veto", "v9", id, "--reason", "mended", "--lift"],
  ["rollback-dry-run", "rollback", id, "--dry-run", "--correlation-id", "plan"],
  ["rollback-to-dry-run", "rollback", id, "--to", "first", "--dry-run", "--correlation-id", "plan"],
  ["rollback-to-unknown", "rollback", id, "--to", "v0"],
  ["rollback", "rollback", id, "--correlation-id", "fifth"],
  ["rollback-to-refused", "rollback", id, "--to", "second"],
  ["destroy-dry-run", "destroy", id, "--dry-run", "--correlation-id", "plan"],
  ["destroy-unconfirmed", "destroy", id],
  ["destroy-stack", "destroy-stack", id, "web", "--yes", "--correlation-id", "sixth"],
  ["destroy", "destroy", id, "--yes", "--correlation-id", "seventh"],
  ["destroy-orphans", "destroy", "--orphans"],
  ["cleanup-stale", "cleanup", "--stale"],
  ["status-unknown", "status", "nowhere"],
  ["deploy-unknown", "deploy", "D000000", "--version", "v1"],
  ["events-unknown", "events", "nowhere"],
  ["flag-unknown", "status", id, "--nonsense"],
  ["status-destroyed", "status", id]
]

describe("the answers of --json", () => {
  it.each(story)("%s", async (name, ...argv) => {
    const text = `${JSON.stringify(await answer(argv), null, 2)}\n`
    await expect(text).toMatchFileSnapshot(`golden/${name}.json`)
  })
})
