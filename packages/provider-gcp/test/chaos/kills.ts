/**
 * The real command, killed by SIGKILL at any time while it deploys a job and a service; the simulator judges.
 */
import { spawn } from "node:child_process"
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cleanEnvironment } from "../../../cli/test/bundle.ts"
import type { ExecutionJson, GcpSimulator } from "../../src/testing/index.ts"
import { image, platform, service, sharesOf } from "../cloudrun/platform.ts"
import { job } from "../jobs/platform.ts"
import { random } from "./random.ts"

const id = "DX6604E"

const yaml = `
organization: acme
project: shop
environments: { production: { region: europe-west1, account: shop-1 } }
plugins: ["@signalbox/provider-gcp"]
stacks:
  - name: migrate
    provider: "gcp:cloud-run-job"
    strategy: { type: all_at_once }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { job: migrate, image: "example.com/shop/migrate:\${version}" }
  - name: api
    provider: "gcp:cloud-run"
    dependsOn: [migrate]
    strategy: { type: canary, steps: [{ weight: 25, bake: 0 millis }] }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { service: api, image: "example.com/shop/api:\${version}" }
`

/** What a run came to. */
export interface Killed {
  readonly kills: number
  readonly deployments: number
}

const stepOf = ({ annotations = {} }: ExecutionJson): string =>
  (JSON.parse(annotations["signalbox.dev/release"] ?? "{}") as { readonly step?: string }).step ?? "none"

/** Each image has one revision, each step one execution, each version one that it ran, and all of others is as it was. */
const judge = (simulator: GcpSimulator, first: string, deployments: number): void => {
  const images = [...simulator.images(service).values()]
  assert.equal(new Set(images).size, images.length, "no second revision of a template")
  const executions = simulator.executions(job)
  assert.equal(new Set(executions.map(stepOf)).size, executions.length, "no second execution of a step")
  assert.equal(executions.length, deployments, "one execution of each version")
  const { labels, traffic } = simulator.service(service)!
  assert.deepEqual(labels, { team: "shop" }, "labels of others stay")
  const tags = traffic.flatMap(({ revision, tag }) => (tag === undefined ? [] : [`${tag} on ${revision}`]))
  assert.deepEqual(tags, [`green on ${first}`], "tags of others stay")
}

/** Deploys one version after the other until the command was killed so often. `program` is the bundled command. */
export const killed = async (program: string, kills: number, seed: number): Promise<Killed> => {
  const next = random(seed)
  const simulator = await platform({ operationMillis: 50 })
  const directory = mkdtempSync(join(tmpdir(), "signalbox-gcp-kills-"))
  const link = join(directory, "node_modules", "@signalbox", "provider-gcp")
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), link)
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
  writeFileSync(join(directory, "signalbox.config.yaml"), yaml)
  let done = 0

  /**
   * Runs the command, and kills it once it has made so many calls; resolves with null if it was killed. Its successor may
   * find the dead one's last entry half recorded, and says to try again.
   */
  const command = async (args: ReadonlyArray<string>, calls: number): Promise<number | null> => {
    const last = simulator.calls.length + calls
    const child = spawn(process.execPath, [program, ...args], {
      cwd: directory,
      env: {
        ...cleanEnvironment(),
        HOME: directory,
        XDG_CONFIG_HOME: join(directory, "none"),
        CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: simulator.grpc
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    child.stdout.on("data", (data) => (said += data))
    child.stderr.on("data", (data) => (said += data))
    const watching = setInterval(() => void (simulator.calls.length >= last && child.kill("SIGKILL")), 2)
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
    for (let left = 1 + Math.floor(next() * 8); ; left--) {
      const calls = left <= 0 ? Infinity : 1 + Math.floor(next() * 20)
      if ((await command(args, calls)) !== null) return
      done += 1
    }
  }

  try {
    await command(["init", "--id", id], Infinity)
    let deployments = 0
    let first = ""
    const deploy = async (how: typeof persistently) => {
      const version = `r${++deployments}`
      simulator.push(image(version), { body: version })
      simulator.push(`example.com/shop/migrate:${version}`, { startMillis: 50 })
      await how("deploy", "--version", version, "--correlation-id", `release-${deployments}`)
      assert.deepEqual(await sharesOf(simulator, 4), { [version]: 100 })
    }
    await deploy(async (...args) => void (await command(args, Infinity)))
    first = simulator.service(service)!.latestReadyRevision!.replace(/.*\//, "")
    const green = { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: first, tag: "green" }
    const traffic = [...simulator.service(service)!.traffic, green]
    await simulator.edit(service, { labels: { team: "shop" }, traffic })
    while (simulator.service(service)!.reconciling) await new Promise((resolve) => setTimeout(resolve, 5))
    while (done < kills) {
      await deploy(persistently)
      judge(simulator, first, deployments)
      if (deployments % 3 === 0) {
        await persistently("rollback", id, "--correlation-id", `back-${deployments}`)
        assert.deepEqual(await sharesOf(simulator, 4), { [`r${deployments - 1}`]: 100 })
        judge(simulator, first, deployments)
      }
    }
    return { kills: done, deployments }
  } finally {
    await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
