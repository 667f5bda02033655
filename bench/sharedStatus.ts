/**
 * `signalbox status`, the real command, on a table with 10³ events and on one with 10⁵: time as a user sees it, and requests.
 */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { layerPlugin } from "@signalbox/core/plugin"
import { Effect } from "effect"
import { openStore } from "../packages/provider-aws/src/dynamodb/store.ts"
import { fill } from "./log.ts"
import { type Row, spread } from "./measure.ts"
import { node, root, signalbox } from "./paths.ts"
import { type Counted, counting } from "./sharedCounting.ts"

const run = promisify(execFile)
const rounds = 21

interface Look {
  readonly time: number
  readonly requests: Counted
}

/** `tableAt` makes a table, and returns its address through an endpoint. */
export const status = async (
  emulator: string,
  tableAt: (table: string, endpoint?: string) => Promise<string>
): Promise<ReadonlyArray<Row>> => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  const proxy = await counting(emulator)
  try {
    mkdirSync(join(folder, "node_modules", "@signalbox"), { recursive: true })
    symlinkSync(join(root, "packages/provider-aws"), join(folder, "node_modules/@signalbox/provider-aws"))
    const configured = (name: string, store: string): string => {
      const project = join(folder, name)
      mkdirSync(project)
      const file = join(project, "signalbox.config.json")
      const config = {
        organization: "acme",
        project: "shop",
        environments: { production: {} },
        plugins: ["@signalbox/provider-aws"],
        store,
        stacks: [{ name: "web", provider: "local", properties: { command: ["node", "server.mjs"], artifact: "." } }]
      }
      writeFileSync(file, JSON.stringify(config))
      return file
    }
    const at = async (name: string, events: number) => {
      const direct = await tableAt(name)
      const file = configured(name, direct.replace(encodeURIComponent(emulator), encodeURIComponent(proxy.url)))
      await run(node, [signalbox, "init", "--id", "DBENCH0", "--config", file], { cwd: folder })
      const layer = layerPlugin({ load: openStore }, direct, { directory: ".", stateDirectory: ".signalbox" })
      await Effect.runPromise(Effect.provide(fill(0, events), layer))
      return async () => {
        proxy.take()
        const began = performance.now()
        await run(node, [signalbox, "status", "DBENCH0", "--config", file, "--json"], { cwd: folder })
        return { time: performance.now() - began, requests: proxy.take() }
      }
    }
    const looks = [await at("status-small", 1_000), await at("status-large", 100_000)]
    const pairs: Array<Array<Look>> = []
    // In turn, so that a slow moment of the machine hits both. The first readers write down how far the log is complete.
    for (let round = -1; round < rounds; round++) {
      const pair: Array<Look> = []
      for (const look of looks) pair.push(await look())
      if (round >= 0) pairs.push(pair)
    }
    const median = (which: number, of: (look: Look) => number) => spread(pairs.map((pair) => of(pair[which]!))).median
    const row = (what: string, unit: string, of: (look: Look) => number, more: Partial<Row> = { goal: 1.5 }): Row => {
      const [small, large] = [median(0, of), median(1, of)]
      return {
        group: "shared",
        what: `${what} of status at 10⁵ events`,
        value: large,
        unit,
        against: "10³",
        ratio: large / small,
        note: `medians of ${rounds} pairs; ${small.toFixed(0)} at 10³`,
        ...more
      }
    }
    return [
      // No goal: the emulator sorts and checks all items of a partition for each query.
      row("time", "ms", ({ time }) => time, {}),
      row("time apart from the emulator", "ms", ({ requests, time }) => time - requests.waited),
      row("requests", "", ({ requests }) => requests.calls),
      row("bytes sent", "B", ({ requests }) => requests.sent),
      row("bytes received", "B", ({ requests }) => requests.received),
      row("read units", "", ({ requests }) => requests.reads)
    ]
  } finally {
    proxy.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
