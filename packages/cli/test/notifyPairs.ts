/**
 * Whether notifications delay a deployment: pairs of deployments, in turns, without notifications and with channels that
 * refuse or do not answer. The time is the whole command's, with its end.
 * `npm run bench -- notify` runs 50 pairs.
 */
import * as Fs from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerNotifications, Signalbox } from "@signalbox/core/engine"
import { fromNotifier, NotifyFailure } from "@signalbox/core/plugin"
import { Providers } from "@signalbox/core/spi"
import { SimulatedProvider } from "@signalbox/core/testing"
import { embeddedStore } from "@signalbox/node"
import { runWith, temporary } from "./support.ts"
import type { Backend } from "../src/host/Host.ts"

const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const id = "DX6604E"

/** Posts to an address; one that refuses is known at once, one that does not answer keeps it waiting. */
const hook = (url: string) =>
  fromNotifier(
    "hook",
    {
      load: () => ({
        capabilities: { update: false, thread: false, acknowledge: false, dedupe: "none", limits: { bytes: 65_536 } },
        render: (_, { title }) => title,
        send: async ({ rendered, signal }) => {
          try {
            await fetch(url, { method: "POST", body: JSON.stringify(rendered), signal })
            return {}
          } catch {
            throw new NotifyFailure({ _tag: "Unavailable", message: "it cannot be reached" })
          }
        }
      })
    },
    { directory: ".", stateDirectory: "." },
    () => undefined
  )

const world = async (url: string | undefined) => {
  const cwd = temporary("pairs")
  const cloud = SimulatedProvider.make()
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    stacks: [{ name: "web", provider: "simulated", strategy: { type: "blue_green", bake: "800 millis" }, gate }],
    ...(url === undefined ? {} : { notifications: { channels: { away: { kind: "hook" } }, routes: [{ to: "away" }] } })
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  Fs.mkdirSync(Path.join(cwd, ".signalbox"))
  const backend: Backend = {
    notifiers: () => Effect.succeed(new Map(url === undefined ? [] : [["hook", hook(url)]])),
    providers: () => Effect.succeed(new Map([[cloud.provider.kind, cloud.provider]])),
    layer: ({ notifications = Effect.undefined }) =>
      Signalbox.layer.pipe(
        Layer.provideMerge(layerNotifications(notifications)),
        Layer.provideMerge(embeddedStore({ directory: Path.join(cwd, ".signalbox") })),
        Layer.provideMerge(Providers.layer([cloud.provider]))
      ),
    adopt: () => Effect.void,
    held: () => Effect.succeed({ stacks: [], fences: [] }),
    abandon: () => Effect.void,
    supervise: () => Effect.void
  }
  const run = (...argv: ReadonlyArray<string>) => runWith(backend, cwd, argv, { env: { SIGNALBOX_ACTOR: "ada" } })
  await run("init", "--id", id)
  return {
    deploy: async (version: string) => {
      const started = performance.now()
      const { code } = await run("deploy", id, "--version", version)
      return { code, ms: performance.now() - started }
    },
    end: () => Fs.rmSync(cwd, { recursive: true, force: true })
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!

/** Runs the pairs; the differences are in ms. */
export const pairs = async (count: number) => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
  const { port } = silent.address() as AddressInfo
  const worlds = {
    off: await world(undefined),
    refusing: await world("http://127.0.0.1:1/"),
    hanging: await world(`http://127.0.0.1:${port}/`)
  }
  const off: Array<number> = []
  const differences = { refusing: [] as Array<number>, hanging: [] as Array<number> }
  const codes = new Set<number>()
  for (let n = 0; n < count; n++) {
    const order = n % 2 === 0 ? (["off", "refusing", "hanging"] as const) : (["hanging", "refusing", "off"] as const)
    const took = { off: 0, refusing: 0, hanging: 0 }
    for (const name of order) {
      const { code, ms } = await worlds[name].deploy(`v${n}`)
      codes.add(code)
      took[name] = ms
    }
    off.push(took.off)
    differences.refusing.push(took.refusing - took.off)
    differences.hanging.push(took.hanging - took.off)
  }
  for (const one of Object.values(worlds)) one.end()
  silent.close()
  return {
    pairs: count,
    codes: [...codes],
    offMs: median(off),
    medianMs: { refusing: median(differences.refusing), hanging: median(differences.hanging) }
  }
}
