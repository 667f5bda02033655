/**
 * Detects failures in advance, from the files, the sizes and the ports of this machine.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path"
import type { ProviderReason } from "@signalbox/core/spi"
import { type Files, missingOnPath, type Obstacle, obstacle, tooLarge } from "./supervisor/instance/Launch.ts"
import { localOf } from "./supervisor/Paths.ts"
import { unusable } from "./supervisor/instance/Ports.ts"
import type { Runtime, StackKey, StackView } from "./supervisor/Protocol.ts"
import { portIsAnothers, portIsFixed, portIsUnusable } from "./supervisor/PublicPort.ts"
import type { State, StackState } from "./supervisor/State.ts"

type Found = ProviderReason | undefined

const invalid = (found: Obstacle | undefined): Found =>
  found === undefined ? undefined : { _tag: "Invalid", ...found }

/** The path as the system knows it, even if its last part does not exist yet. */
const real = (path: string): string =>
  existsSync(path) ? realpathSync(path) : path === dirname(path) ? path : join(real(dirname(path)), basename(path))

/** A copy of a folder that contains the state would contain all earlier copies, and the database. */
export const holdsState = (artifact: string, shown: string, directory: string): Found => {
  const way = relative(real(artifact), real(directory))
  if (way === ".." || way.startsWith("../") || isAbsolute(way)) return undefined
  return {
    _tag: "Invalid",
    message: `the artifact ${shown} holds the folder ${basename(directory)}, in which signalbox keeps releases and its state`,
    path: ["artifact"],
    hint: "Put what is deployed into a folder of its own and name that, or keep the state elsewhere with --directory."
  }
}

export const command = (runtime: Runtime, files: Files): Found => invalid(obstacle(runtime, files))

export const program = (runtime: Runtime, path: string | undefined): Found => invalid(missingOnPath(runtime, path))

/** The environment of the processes is `runtime`'s, plus a few variables that every process gets. */
export const environment = (runtime: Runtime, secrets: Readonly<Record<string, string | undefined>>): Found =>
  invalid(
    tooLarge(
      runtime.command,
      Object.fromEntries(
        Object.entries(runtime.env).map(([name, value]) => [
          name,
          typeof value === "string" ? value : secrets[value.secret]
        ])
      )
    )
  )

const statesIn = (directory: string): ReadonlyArray<StackState> => {
  try {
    const state = JSON.parse(readFileSync(join(localOf(resolve(directory)), "state.json"), "utf8")) as State
    return Object.values(state.stacks)
  } catch {
    return []
  }
}

const isSame = (one: StackKey, other: StackKey): boolean =>
  one.deploymentId === other.deploymentId && one.environment === other.environment && one.stack === other.stack

/** Whether the requested public port is available: looked up in the folder's state, then tried. */
export const port = async (directory: string, key: StackKey, asked: number, view: StackView | null): Promise<Found> => {
  if (asked === 0) return undefined
  const observed = view?.observation
  const proxy = observed?.resources.find(({ type }) => type === "proxy")?.status
  const now = Number(observed?.outputs["port"] ?? 0)
  // If its supervisor has to be restarted, it gets its port back first.
  if ((proxy === "listening" || proxy === "stopped") && now !== 0 && now !== asked) return portIsFixed(key, now)
  if (proxy === "listening") return undefined
  const other = statesIn(directory).find(
    (state) =>
      !isSame(state, key) && (state.port === asked || state.instances.some((instance) => instance.port === asked))
  )
  if (other !== undefined) return portIsAnothers(key, asked, other)
  const code = await unusable(asked)
  return code === undefined ? undefined : portIsUnusable(asked, code)
}
