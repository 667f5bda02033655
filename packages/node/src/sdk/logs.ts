/** The logs of deployed stacks. */
import { logLineView } from "@signalbox/core/api/views"
import { Signalbox } from "@signalbox/core/engine"
import { StackName } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Deployments } from "./Connection.ts"
import { given, named, textOf } from "./input.ts"
import { recordedPlace } from "./place.ts"
import type { Session } from "./session.ts"

const Lines = Schema.Int.check(
  Schema.isBetween({ minimum: 1, maximum: 10_000 }, { expected: "a whole number from 1 to 10000" })
)

export const logs =
  (session: Session): Deployments["logs"] =>
  ({ follow, lines, release, stack, ...place }) =>
    session.iterate(
      Stream.unwrap(
        Effect.gen(function* () {
          const { deployments } = yield* Signalbox
          const options = yield* Effect.tryPromise({
            try: async () => ({
              ...(await recordedPlace(session, place)),
              ...given("stack", stack === undefined ? undefined : named(StackName, "stack", stack)),
              ...given("release", release === undefined ? undefined : textOf("release", release)),
              ...given("lines", lines === undefined ? undefined : named(Lines, "lines", lines)),
              ...given("follow", follow)
            }),
            catch: (error) => error
          })
          return Stream.map(deployments.logs(options), logLineView)
        })
      ),
      place.signal
    )
