/**
 * `destroy --orphans`: stacks that the folder's supervisor has and its store does not know, after the store was deleted
 * or damaged.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PluginInvalid } from "@signalbox/core/plugin"
import type { StoreError } from "@signalbox/core/spi"
import { DeploymentId, EnvironmentName } from "@signalbox/core/spi"
import type { Failure } from "../main/Failure.ts"
import { usage } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { table } from "../live/table.ts"
import { signalbox, withServices } from "../main/services.ts"

type Flags = Readonly<Record<string, unknown>> & { readonly yes: boolean; readonly dryRun: boolean }

/** Flags of `destroy` that apply here. */
const ours = new Set(["orphans", "yes", "dryRun"])

/** Other flags are rejected, not ignored. */
const givenBesides = (flags: Flags): string | undefined =>
  Object.entries(flags).find(
    ([name, value]) => !ours.has(name) && (Option.isOption(value) ? Option.isSome(value) : value === true)
  )?.[0]

const flagOf = (name: string): string =>
  name === "id" ? "<id>" : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

interface Remembered {
  readonly deploymentId: string
  readonly environment: string
  readonly fence: number
}

const placeOf = ({ deploymentId, environment }: Omit<Remembered, "fence">): string => `${deploymentId} ${environment}`

/** The store of this folder, and the environments that it does not know. */
const look = (
  inv: Invocation,
  all: ReadonlyArray<Remembered>
): Effect.Effect<
  { readonly store: "missing" | "damaged" | "readable"; readonly unknown: ReadonlyArray<Remembered> },
  Failure | PluginInvalid | StoreError
> => {
  const { databaseUrl, directory } = inv.settings
  // Opening it would create a new one.
  if (databaseUrl === undefined && !Fs.existsSync(Path.join(directory, ".signalbox", "signalbox.db"))) {
    return Effect.succeed({ store: "missing", unknown: all })
  }
  return withServices(
    inv,
    Effect.gen(function* () {
      const { deployments } = yield* signalbox
      const unknown = yield* Effect.filter(all, ({ deploymentId, environment, fence }) =>
        deployments.isUnknown({
          deploymentId: DeploymentId.make(deploymentId),
          environment: EnvironmentName.make(environment),
          fence
        })
      )
      return { store: "readable" as const, unknown }
    })
  ).pipe(
    Effect.catchIf(
      (error) => error._tag === "StoreError" && error.reason === "Corrupt",
      () => Effect.succeed({ store: "damaged" as const, unknown: all })
    )
  )
}

const why = {
  missing: "there is no store here",
  damaged: "the store cannot be read",
  readable: "the store here does not know it"
}

/** Lists them, and with `--yes` stops them. */
export const orphans = Effect.fnUntraced(function* (inv: Invocation, flags: Flags) {
  const other = givenBesides(flags)
  if (other !== undefined) {
    return yield* usage(
      "flags_conflict",
      `--orphans is about what no store knows; ${flagOf(other)} means nothing to it`,
      `Leave ${flagOf(other)} out, or --orphans.`,
      "--orphans"
    )
  }
  const { directory } = inv.settings
  const held = yield* inv.host.backend.held(directory)
  const { store, unknown } = yield* look(inv, held.fences)
  const places = new Set(unknown.map(placeOf))
  const stacks = held.stacks.filter((stack) => places.has(placeOf(stack)))
  const stops = flags.yes && !flags.dryRun
  // Without stacks, fences may still be left, which refuse the next deployment.
  if (stops && unknown.length > 0) yield* inv.host.backend.abandon(directory, { stacks, environments: unknown })
  const view = {
    store,
    stopped: stops,
    orphans: stacks,
    forgotten: stops ? unknown.map(({ deploymentId, environment }) => ({ deploymentId, environment })) : []
  }
  yield* inv.result(view, () => {
    if (unknown.length === 0) return ["The store knows everything that the supervisor of this folder has."]
    if (stops) {
      return [
        ...stacks.map((stack) =>
          `${inv.paint("green", "✔")} ${placeOf(stack)} ${stack.stack}: stopped ${stack.version ?? ""}`.trimEnd()
        ),
        `${inv.paint("green", "✔")} ${[...places].join(", ")}: forgotten`,
        ...(store === "damaged"
          ? [`The store is still damaged: restore a copy, or delete ${Path.join(".signalbox", "signalbox.db")}*.`]
          : [])
      ]
    }
    return [
      ...(stacks.length === 0
        ? [`Nothing is left of ${[...places].join(", ")} but fences, which refuse a deployment (${why[store]}).`]
        : [
            `Left running, and ${why[store]}:`,
            ...table(
              stacks,
              [
                { title: "DEPLOYMENT", cell: ({ deploymentId }) => deploymentId },
                { title: "ENVIRONMENT", cell: ({ environment }) => environment },
                { title: "STACK", cell: ({ stack }) => stack },
                { title: "VERSION", cell: ({ version }) => version ?? "–" },
                { title: "PROCESSES", cell: ({ pids }) => (pids.length === 0 ? "none" : pids.join(", ")), drop: 2 },
                { title: "ADDRESS", cell: ({ url }) => url, drop: 1 }
              ],
              { width: inv.host.stdout.columns(), paint: inv.paint }
            )
          ]),
      "",
      `next:  ${inv.paint("cyan", "signalbox destroy --orphans --yes")}`
    ]
  })
})
