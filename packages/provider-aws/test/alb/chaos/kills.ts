/**
 * The real command, killed by SIGKILL at any time while it deploys a service behind a load balancer; the simulator judges.
 */
import { spawn } from "node:child_process"
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cleanEnvironment } from "../../../../cli/test/bundle.ts"
import { type Platform, platform, propertiesOf, running, sharesOf, sourceOf } from "../platform.ts"

const id = "DX6604E"

/** What a run came to. */
export interface Killed {
  readonly kills: number
  readonly deployments: number
  /** The fewest healthy instances that took requests at any time. */
  readonly capacity: number
}

const configurationOf = (it: Platform, rule: string) => `
import { aws } from "@signalbox/provider-aws"

export default {
  organization: "acme",
  project: "shop",
  environments: { production: { region: "${it.simulator.region}" } },
  plugins: [aws({ metrics: false })],
  stacks: [
    {
      name: "api",
      provider: "aws:alb",
      strategy: { type: "canary", steps: [{ weight: 25, bake: "0 millis" }] },
      gate: { interval: "100 millis", consecutivePasses: 1, gracePeriod: "0 millis" },
      properties: ${JSON.stringify({ ...propertiesOf(it), listener: undefined, rule, verifyTraffic: "api", artifact: "s3://shop-builds/api-${version}.zip" })}
    }
  ]
}
`

/** Pseudo-random numbers from 0 to 1. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  const mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  const more = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((more ^ (more >>> 14)) >>> 0) / 2 ** 32
}

/** A rule for the service, beside a default action that belongs to others. */
const ruleOn = async ({ service, simulator }: Platform): Promise<string> => {
  const { Rules } = (await simulator.edit("CreateRule", {
    ListenerArn: service.listener,
    Priority: 10,
    Conditions: [{ Field: "path-pattern", Values: ["/*"] }],
    Actions: [{ Type: "forward", TargetGroupArn: service.blue.targetGroup }]
  })) as { readonly Rules: ReadonlyArray<{ readonly RuleArn: string }> }
  await simulator.edit("AddTags", {
    ResourceArns: [Rules[0]!.RuleArn],
    Tags: [{ Key: "team", Value: "shop" }]
  })
  return Rules[0]!.RuleArn
}

/** Each release has one version of the launch template, and all of others is as it was. */
const judge = async ({ service, simulator, template }: Platform, rule: string, versions: number): Promise<void> => {
  const { LaunchTemplateVersions: found } = (await simulator.edit("DescribeLaunchTemplateVersions", {
    LaunchTemplateId: template
  })) as { readonly LaunchTemplateVersions: ReadonlyArray<{ readonly VersionDescription?: string }> }
  const releases = found.flatMap(({ VersionDescription }) => VersionDescription ?? [])
  assert.equal(new Set(releases).size, releases.length, "no second version of a release")
  assert.equal(releases.length, versions, "one version of each release")
  const { Listeners } = (await simulator.edit("DescribeListeners", { ListenerArns: [service.listener] })) as {
    readonly Listeners: ReadonlyArray<{ readonly DefaultActions: ReadonlyArray<{ readonly TargetGroupArn?: string }> }>
  }
  assert.equal(Listeners[0]!.DefaultActions[0]!.TargetGroupArn, service.blue.targetGroup, "the default action stays")
  const { TagDescriptions } = (await simulator.edit("DescribeTags", { ResourceArns: [rule] })) as {
    readonly TagDescriptions: ReadonlyArray<{ readonly Tags: ReadonlyArray<{ readonly Key: string }> }>
  }
  assert.ok(
    TagDescriptions[0]!.Tags.some(({ Key }) => Key === "team"),
    "tags of others stay"
  )
  const own = new Set([rule, service.blue.group, service.green.group, template])
  for (const { input, operation } of simulator.ledger.writes) {
    const { AutoScalingGroupName, LaunchTemplateId, ResourceArns, RuleArn } = input as {
      readonly AutoScalingGroupName?: string
      readonly LaunchTemplateId?: string
      readonly ResourceArns?: ReadonlyArray<string>
      readonly RuleArn?: string
    }
    const what = RuleArn ?? ResourceArns?.[0] ?? AutoScalingGroupName ?? LaunchTemplateId ?? ""
    assert.ok(own.has(what), `${operation} changes ${what}, which is of others`)
  }
  assert.ok(simulator.ledger.capacity.get(rule)!.minimum >= 2, "the capacity never falls")
}

/** Deploys one version after the other until the command was killed so often. `program` is the bundled command. */
export const killed = async (program: string, kills: number, seed: number): Promise<Killed> => {
  const next = random(seed)
  const it = await platform({ scale: 60 })
  const { service, simulator } = it
  const rule = await ruleOn(it)
  simulator.ledger.reset()
  const directory = mkdtempSync(join(tmpdir(), "signalbox-alb-kills-"))
  const link = join(directory, "node_modules", "@signalbox", "provider-aws")
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(fileURLToPath(new URL("../../../", import.meta.url)), link)
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
  writeFileSync(join(directory, "signalbox.config.mjs"), configurationOf(it, rule))
  let done = 0

  /**
   * Runs the command, and kills it once it has made so many calls; resolves with null if it was killed. Its successor may
   * find the dead one's last entry half recorded, and says to try again.
   */
  const command = async (args: ReadonlyArray<string>, calls: number): Promise<number | null> => {
    const last = simulator.ledger.calls.length + calls
    const child = spawn(process.execPath, [program, ...args], {
      cwd: directory,
      env: {
        ...cleanEnvironment(),
        HOME: directory,
        XDG_CONFIG_HOME: join(directory, "none"),
        AWS_ENDPOINT_URL: simulator.endpoint,
        AWS_ACCESS_KEY_ID: "deployer",
        AWS_SECRET_ACCESS_KEY: "secret"
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    child.stdout.on("data", (data) => (said += data))
    child.stderr.on("data", (data) => (said += data))
    const watching = setInterval(() => void (simulator.ledger.calls.length >= last && child.kill("SIGKILL")), 2)
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("close", (code, signal) => resolve([code, signal]))
    )
    clearInterval(watching)
    if (signal === "SIGKILL") return null
    if (code === 2 && said.includes("Try again in a moment")) return command(args, calls)
    assert.equal(code, 0, `${args.join(" ")}: ${said}`)
    return code
  }

  /** Runs the command until it ends by itself, killed some times on the way. */
  const persistently = async (...args: ReadonlyArray<string>): Promise<void> => {
    for (let left = 2 + Math.floor(next() * 10); ; left--) {
      const calls = left <= 0 ? Infinity : 1 + Math.floor(next() * 50)
      if ((await command(args, calls)) !== null) return
      done += 1
    }
  }

  try {
    await command(["init", "--id", id], Infinity)
    let deployments = 0
    while (done < kills) {
      const version = `r${++deployments}`
      simulator.push(sourceOf(version), { body: version })
      await persistently("deploy", "--version", version, "--correlation-id", `release-${deployments}`)
      assert.deepEqual(await sharesOf(it, 4), { [version]: 100 })
      assert.deepEqual(running(it), { [version]: 2 })
      await judge(it, rule, deployments)
      if (deployments % 3 !== 0) continue
      await persistently("rollback", id, "--correlation-id", `back-${deployments}`)
      assert.deepEqual(await sharesOf(it, 4), { [`r${deployments - 1}`]: 100 })
      await judge(it, rule, deployments)
    }
    assert.ok(service.listener !== "")
    return { kills: done, deployments, capacity: simulator.ledger.capacity.get(rule)!.minimum }
  } finally {
    await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
