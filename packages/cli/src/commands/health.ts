import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitCode } from "../main/ExitCode.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { judge } from "../json/health.ts"
import { mark } from "../live/glyphs.ts"
import { plain } from "../live/words.ts"
import { table } from "../live/table.ts"
import { inRegion } from "../request/manifest.ts"
import { type Place, placeOnRecord, settled } from "../request/place.ts"
import { isRecorded, recordedManifest } from "../request/recorded.ts"
import { engine, signalbox } from "../main/services.ts"
import { withProviders } from "../request/plugins.ts"
import { count, deployment } from "./flags.ts"

/** If nothing was deployed with a configuration, the provider is unknown: no data, neither pass nor failure. */
const withoutConfiguration = Effect.fnUntraced(function* (
  inv: Invocation,
  { deploymentId, environment }: Pick<Place, "deploymentId" | "environment">
) {
  const reason =
    inv.settings.config === undefined
      ? "no provider can be asked: there is no configuration here"
      : "no provider can be asked: the configuration cannot be read, and nothing was deployed with another one"
  yield* inv.result({ deploymentId, environment, healthy: null, verdict: "no_data", reason, stacks: [] }, () => [
    `${deploymentId} ${environment}: ${inv.paint("yellow", `${mark("no_data")[0]} no data`)}: ${reason}`
  ])
  yield* inv.exit(ExitCode.undecided)
})

export const health = Command.make(
  "health",
  {
    id: deployment,
    minHealthy: count(
      "min-healthy",
      0,
      100,
      "Minimum percentage of healthy instances; by default from each stack's gate"
    ).pipe(Flag.optional),
    maxErrors: count(
      "max-errors",
      0,
      1_000_000_000,
      "Maximum errors within the gate's window; by default from each stack's gate"
    ).pipe(Flag.optional)
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const { Gate } = yield* engine
    const given = Option.getOrUndefined(flags.id)
    const place = yield* placeOnRecord(inv, given)
    yield* withProviders(
      inv,
      { of: place.deploymentId },
      Effect.gen(function* () {
        const { deploymentId: id, environment, manifest: found } = yield* settled(inv, { ...place, named: true })
        const configured = place.bare ? undefined : inRegion(found, environment, inv.settings.region)
        if (configured === undefined && !(yield* isRecorded(id, environment))) {
          return yield* withoutConfiguration(inv, { deploymentId: id, environment })
        }
        const manifest = yield* recordedManifest(id, environment, configured)
        const { deployments } = yield* signalbox
        yield* inv.say("asking the providers …")
        const observed = yield* deployments.health({ manifest, deploymentId: id, environment })
        const stacks = observed.map((one) =>
          judge(one, {
            minHealthy: Option.getOrElse(flags.minHealthy, () => one.minHealthyPercentage),
            maxErrors: Option.getOrElse(flags.maxErrors, () => one.maxErrorCount)
          })
        )
        const healthy = stacks.every(({ verdict }) => verdict === "pass")
        const verdict = Gate.combine(stacks.map((stack) => stack.verdict))
        yield* inv.result({ deploymentId: id, environment, healthy, verdict, reason: null, stacks }, () => [
          `${id} ${environment}: ${healthy ? inv.paint("green", "✔ healthy") : inv.paint("red", "✖ not healthy")}`,
          "",
          ...table(
            stacks,
            [
              { title: "STACK", cell: (row) => row.name },
              {
                title: "VERDICT",
                cell: (row) => `${mark(row.verdict)[0]} ${row.verdict.replace("_", " ")}`,
                style: (row) => mark(row.verdict)[1]
              },
              { title: "VERSION", cell: (row) => row.release?.version ?? "–", drop: 1 },
              { title: "REASON", cell: (row) => row.reason, wrap: true }
            ],
            { width: inv.host.stdout.columns(), paint: inv.paint }
          ),
          ...stacks.flatMap(({ endpoints, name }) =>
            Object.entries(endpoints).map(([id, url]) => `${plain(name)} ${plain(id)}: ${plain(url)}`)
          )
        ])
        yield* inv.exit(healthy ? ExitCode.done : ExitCode.unhealthy)
      })
    )
  })
).pipe(
  Command.withDescription("Ask the providers for the health of the stacks; exits with 5 if unhealthy, 7 without data")
)
