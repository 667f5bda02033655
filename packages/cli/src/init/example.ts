/**
 * The files of `init --example`: a working configuration and application, on this machine only.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { ExitCode } from "../main/ExitCode.ts"
import { Failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"

const config = `// A configuration that works as it is. From here: signalbox deploy --version v1
import { defineConfig } from "@signalbox/core"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // Each environment has its own releases, status and lock. With more than one, commands want --environment.
  environments: { production: {} },

  stacks: [
    {
      name: "web",
      provider: "local", // processes on this machine, behind a proxy

      // A new release comes up beside the old one, takes over all requests, and is watched for 3 seconds. A canary
      // gives it a share of them first, and needs requests to judge by:
      // strategy: { type: "canary", steps: [{ weight: 10, bake: "5 minutes" }] },
      strategy: { type: "blue_green", bake: "3 seconds" },

      // What a release has to show, else everything goes back. Seconds here; the defaults are minutes.
      gate: {
        minHealthyPercentage: 80,
        maxErrorCount: 10,
        errorWindow: "1 minute",
        gracePeriod: "2 seconds",
        interval: "500 millis",
        consecutivePasses: 2,
        minSamples: 0 // it need not have been asked anything
      },

      // What the provider is told: what to run, and how often.
      properties: {
        artifact: "./app",
        command: ["node", "server.mjs"],
        instances: 2,
        readiness: { path: "/" }
      }
    }
  ]
})
`

const server = `// Listens where it is told to, and says which version it is.
import { createServer } from "node:http"

const { PORT, SIGNALBOX_VERSION } = process.env
createServer((_, response) => response.end(\`hello from \${SIGNALBOX_VERSION}\\n\`)).listen(Number(PORT), "127.0.0.1")
`

const files = [
  ["signalbox.config.ts", config],
  [Path.join("app", "server.mjs"), server]
] as const

const taken = (path: string): Failure =>
  new Failure({
    exitCode: ExitCode.failed,
    info: {
      code: "example_exists",
      message: `${path} is there already; nothing was written`,
      hint: "Make a deployment from your own configuration with: signalbox init. For the example take an empty folder."
    }
  })

/** Writes the example into the state folder, atomically; returns the files, the configuration first. */
export const writeExample = Effect.fnUntraced(function* ({
  host,
  settings
}: Invocation): Effect.fn.Return<ReadonlyArray<string>, Failure> {
  const shown = (path: string) => Path.relative(host.cwd, path) || "."
  const paths = files.map(([name]) => Path.join(settings.directory, name))
  // A configuration above this folder applies to it too, and would stop doing so.
  const there = [settings.config, ...paths, Path.join(settings.directory, "app")].find(
    (path) => path !== undefined && Fs.existsSync(path)
  )
  if (there !== undefined) return yield* taken(shown(there))
  yield* Effect.try({
    try: () => {
      for (const [index, [, text]] of files.entries()) {
        Fs.mkdirSync(Path.dirname(paths[index]!), { recursive: true })
        Fs.writeFileSync(paths[index]!, text, { flag: "wx" })
      }
    },
    catch: (cause) => {
      const { code, path } = cause as NodeJS.ErrnoException
      if (code === "EEXIST") return taken(shown(path ?? settings.directory))
      return new Failure({
        exitCode: ExitCode.unavailable,
        info: {
          code: "example_unwritable",
          message: `${shown(path ?? settings.directory)} cannot be written (${code ?? "unknown reason"})`,
          hint: "Make the folder writable, or choose another one with --directory."
        }
      })
    }
  })
  return paths
})
