/**
 * The real command, killed by SIGKILL at any time while it deploys and rolls back; the simulator judges.
 */
import { spawn } from "node:child_process"
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cleanEnvironment } from "../../../../cli/test/bundle.ts"
import type { GcpSimulator } from "../../../src/testing/index.ts"
import { link } from "../link.ts"
import { random } from "../random.ts"

const id = "DX6604E"

/** What is deployed, beside what others have there. */
export interface Subject {
  /** The stacks of the configuration, as YAML. */
  readonly stacks: string
  readonly simulator: GcpSimulator
  /** Makes a version ready to be deployed. `directory` is the folder of the configuration. */
  readonly publish: (directory: string, version: string) => void
  /** The only version that requests reach. */
  readonly shown: () => Promise<string>
  /** Adds what belongs to others, once the first version is deployed. */
  readonly share: () => Promise<void>
  /** Throws if something was done twice, or changed that belongs to others. */
  readonly judge: (deployments: number) => void
}

/** What a run came to. */
export interface Killed {
  readonly kills: number
  readonly deployments: number
}

const configuration = (stacks: string): string => `
organization: acme
project: shop
environments: { production: { region: europe-west1, account: shop-1 } }
plugins: ["@signalbox/provider-gcp"]
stacks:
${stacks}`

/** Deploys one version after the other until the command was killed so often. `program` is the bundled command. */
export const killed = async (
  make: () => Promise<Subject>,
  { kills, program, seed }: { readonly program: string; readonly kills: number; readonly seed: number }
): Promise<Killed> => {
  const next = random(seed)
  const { judge, publish, share, shown, simulator, stacks } = await make()
  const directory = mkdtempSync(join(tmpdir(), "signalbox-gcp-kills-"))
  link(directory)
  writeFileSync(join(directory, "signalbox.config.yaml"), configuration(stacks))
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
        CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: simulator.grpc,
        FIREBASE_HOSTING_API_URL: simulator.hosting.url
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
    const deploy = async (how: typeof persistently) => {
      const version = `r${++deployments}`
      publish(directory, version)
      await how("deploy", "--version", version, "--correlation-id", `release-${deployments}`)
      assert.equal(await shown(), version)
    }
    await deploy(async (...args) => void (await command(args, Infinity)))
    await share()
    while (done < kills) {
      await deploy(persistently)
      judge(deployments)
      if (deployments % 3 === 0) {
        await persistently("rollback", id, "--correlation-id", `back-${deployments}`)
        assert.equal(await shown(), `r${deployments - 1}`)
        judge(deployments)
      }
    }
    return { kills: done, deployments }
  } finally {
    await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
