import { logLineView } from "@signalbox/core/api/views"
import type { StackLogLine } from "@signalbox/core/api"
import { DeploymentId, StackName } from "@signalbox/core/spi"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { schemas } from "../json/schemas.ts"
import { clock, plain } from "../live/words.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { signalbox } from "../main/services.ts"
import { inRegion } from "../request/manifest.ts"
import { placeOnRecord, settled } from "../request/place.ts"
import { withProviders } from "../request/plugins.ts"
import { recordedManifest } from "../request/recorded.ts"
import { count, option, text } from "./flags.ts"

const isDeployment = Schema.is(DeploymentId)
const isStack = Schema.is(StackName)

/** Their forms differ: a deployment is written in capitals, a stack in small letters. */
const which = Argument.String("which").pipe(
  Argument.variadic({ max: 2 }),
  Argument.filterMap(
    (words) => {
      const id = words.find(isDeployment)
      const stack = words.find(isStack)
      const known = [id, stack].filter((word) => word !== undefined)
      return known.length === words.length
        ? Option.some({ ...(id === undefined ? {} : { id }), ...(stack === undefined ? {} : { stack }) })
        : Option.none()
    },
    (words) => `Expected a stack, a deployment, or one of each, got "${words.join(" ")}"`
  ),
  Argument.withDescription("Stack, deployment, or both; by default all stacks of the deployment of this folder")
)

const line = ({ at, instance, text }: StackLogLine): string =>
  [...(at === null ? [] : [clock(at)]), plain(instance), plain(text)].join("  ")

const print = (inv: Invocation) => (one: StackLogLine) =>
  inv.item({ schema: schemas.log, ...logLineView(one) }, () => [line(one)])

export const logs = Command.make(
  "logs",
  {
    which,
    follow: option("follow", "Print new lines too, until stopped"),
    release: text("release", "version", "Only lines of this release: its version or ID"),
    lines: count("lines", 1, 10_000, "How many of the last lines to print for each stack (100)").pipe(
      Flag.withDefault(100)
    )
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const place = yield* placeOnRecord(inv, flags.which.id)
    yield* withProviders(
      inv,
      { of: place.deploymentId },
      Effect.gen(function* () {
        const { deploymentId, environment, manifest: found } = yield* settled(inv, { ...place, named: true })
        const configured = place.bare ? undefined : inRegion(found, environment, inv.settings.region)
        const manifest = yield* recordedManifest(deploymentId, environment, configured)
        const { deployments } = yield* signalbox
        const { stack } = flags.which
        const release = Option.getOrUndefined(flags.release)
        const printed = yield* deployments
          .logs({
            manifest,
            deploymentId,
            environment,
            lines: flags.lines,
            follow: flags.follow,
            ...(stack === undefined ? {} : { stack }),
            ...(release === undefined ? {} : { release })
          })
          .pipe(
            Stream.tap(print(inv)),
            Stream.runFold(
              () => 0,
              (total) => total + 1
            )
          )
        if (printed === 0) yield* inv.say("There are no lines.")
      })
    )
  })
).pipe(Command.withDescription("Print the logs of the instances of the stacks"))
