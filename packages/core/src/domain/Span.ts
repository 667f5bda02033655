import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** Durations between two bounds, in milliseconds; the bounds also guide the values that property tests draw. */
export const spanBetween = (minimum: number, maximum: number, expected: string) =>
  Schema.String.annotate({ expected: "a string that will be decoded as a Duration" }).pipe(
    Schema.decodeTo(
      Schema.Duration.annotate({
        toCodecArbitrary: () =>
          Schema.link<Duration.Duration>()(
            Schema.Int.check(Schema.isBetween({ minimum, maximum })),
            SchemaTransformation.transform({ decode: Duration.millis, encode: Duration.toMillis })
          )
      }),
      SchemaTransformation.durationFromString
    ),
    Schema.check(
      Schema.makeFilter(
        (duration) =>
          Duration.between(duration, { minimum: Duration.millis(minimum), maximum: Duration.millis(maximum) }),
        { expected }
      )
    )
  )

/** A day in milliseconds. */
export const day = 24 * 60 * 60 * 1_000

/**
 * A duration, written as `"250 millis"`, `"30 seconds"` or `"5 minutes"`; from zero to 30 days.
 */
export const Span = spanBetween(0, 30 * day, "a span of time from nothing to 30 days")
