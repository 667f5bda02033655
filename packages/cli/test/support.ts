/**
 * A world for the command: streams that are kept, a folder of its own, and a backend in memory.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Signalbox } from "@signalbox/core/engine"
import { type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import type { Backend, HostShape, Sink } from "../src/host/Host.ts"
import { main } from "../src/main/Main.ts"

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const temporary = (prefix: string): string =>
  Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), `signalbox-${prefix}-`)))

/** Every file below a folder, with its size, to check that nothing was written. */
export const listing = (directory: string): ReadonlyArray<string> =>
  Fs.readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = Path.join(entry.parentPath, entry.name)
      return `${path} ${entry.isFile() ? `${Fs.statSync(path).size} ${Fs.statSync(path).mtimeMs}` : "folder"}`
    })
    .toSorted()

/** A project with one stack `web` of the local provider, whose program is `server`. */
export const writeWeb = (cwd: string, server: string, properties: object = {}): void => {
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  const web = {
    name: "web",
    provider: "local",
    gate: { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 1, minSamples: 0 },
    properties: {
      command: ["node", "server.mjs"],
      artifact: "app",
      readiness: { timeout: "1 minute", interval: "100 millis" },
      ...properties
    }
  }
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({ organization: "acme", project: "shop", environments: { production: {} }, stacks: [web] })
  )
}

const keep = (isTTY: boolean, told: (text: string) => void): Sink & { text: string } => {
  const sink = {
    isTTY,
    text: "",
    columns: () => 100,
    rows: () => 30,
    write: (text: string) => {
      sink.text += text
      told(text)
    },
    pass: (bytes: Uint8Array) => {
      sink.text += new TextDecoder().decode(bytes)
    },
    onResize: () => () => undefined
  }
  return sink
}

/** Runs a command line in this process. */
export const runWith = async (
  backend: Backend,
  cwd: string,
  argv: ReadonlyArray<string>,
  options: Partial<Pick<HostShape, "env" | "ask" | "detach">> & {
    readonly tty?: boolean
    /** Receives output, on either stream, as it comes. */
    readonly told?: (text: string) => void
  } = {}
): Promise<Ran> => {
  const stdout = keep(options.tty === true, options.told ?? (() => undefined))
  const stderr = keep(options.tty === true, options.told ?? (() => undefined))
  const host: HostShape = {
    env: { HOME: cwd, ...options.env },
    cwd,
    version: "0.0.0",
    stdout,
    stderr,
    ask: options.ask,
    detach: options.detach ?? (() => Effect.die(new Error("nothing may be started here"))),
    backend,
    shield: () => undefined,
    signal: () => undefined,
    takeSignals: () => () => undefined,
    exit: { code: 0 }
  }
  const code = await Effect.runPromise(main(host, argv))
  return { code, stdout: stdout.text, stderr: stderr.text }
}

/** A backend that may only be asked which providers there are. */
export const closedBackend = (providers: ReadonlyMap<string, Provider>): Backend => ({
  providers: () => Effect.succeed(providers),
  notifiers: () => Effect.succeed(new Map()),
  layer: () => Layer.unwrap(Effect.die(new Error("no store may be opened here"))),
  adopt: () => Effect.die(new Error("no file may be written here")),
  held: () => Effect.die(new Error("no supervisor may be asked here")),
  abandon: () => Effect.die(new Error("nothing may be stopped here")),
  supervise: () => Effect.die(new Error("nothing may be started here"))
})

/** Stores in memory that stay from one command to the next, and a simulated cloud. */
export const memoryBackend = async (options: SimulatedProvider.SimulatedOptions = {}) => {
  const cloud = SimulatedProvider.make(options)
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(
    Layer.buildWithScope(
      Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([cloud.provider]))),
      scope
    )
  )
  const backend: Backend = {
    notifiers: () => Effect.succeed(new Map()),
    providers: () => Effect.succeed(new Map([[cloud.provider.kind, cloud.provider]])),
    layer: () => Layer.succeedContext(context),
    adopt: () => Effect.void,
    held: () => Effect.succeed({ stacks: [], fences: [] }),
    abandon: () => Effect.void,
    supervise: () => Effect.void
  }
  return {
    backend,
    cloud,
    /** What the facade of this backend works on. */
    stores: Layer.succeedContext(context),
    close: () => Effect.runPromise(Scope.close(scope, { _tag: "Success", value: undefined } as never))
  }
}
