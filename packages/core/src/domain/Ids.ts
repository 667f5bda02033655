/**
 * Names and identifiers. All of them end up in stored keys, file names and URLs, so their alphabets are narrow.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/**
 * Identifies a deployment: `D` and six characters of Crockford's base32, such as `DX6604E`.
 */
export const DeploymentId = Schema.String.check(
  Schema.isPattern(/^D[0-9A-HJKMNP-TV-Z]{6}$/, { expected: "a deployment id such as DX6604E" })
).pipe(Schema.brand("DeploymentId"))
export type DeploymentId = typeof DeploymentId.Type

/**
 * The deployment id of six numbers, each modulo 32.
 */
export const deploymentIdFrom = (digits: ReadonlyArray<number>): DeploymentId =>
  DeploymentId.make(`D${digits.map((digit) => crockford[digit % 32]).join("")}`)

/**
 * Draws a deployment id. 2³⁰ values: the caller checks that it is free.
 */
export const makeDeploymentId: Effect.Effect<DeploymentId> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 31), 6),
  deploymentIdFrom
)

/**
 * Identifies an execution; also its idempotency key and the seed of its trace id. 1–128 characters.
 */
export const CorrelationId = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, {
    expected: "a correlation id of 1 to 128 letters, digits, '.', '_', ':' or '-'"
  })
).pipe(Schema.brand("CorrelationId"))
export type CorrelationId = typeof CorrelationId.Type

/**
 * Names an environment, such as `production`. 1–63 characters.
 */
export const EnvironmentName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,62}$/, {
    expected: "an environment name of 1 to 63 lower-case letters, digits or '-'"
  })
).pipe(Schema.brand("EnvironmentName"))
export type EnvironmentName = typeof EnvironmentName.Type

/**
 * Names a stack within its deployment. 1–63 characters.
 */
export const StackName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,62}$/, {
    expected: "a stack name of 1 to 63 lower-case letters, digits or '-', starting with a letter"
  })
).pipe(Schema.brand("StackName"))
export type StackName = typeof StackName.Type

/**
 * Milliseconds since the Unix epoch.
 */
export const Timestamp = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
export type Timestamp = typeof Timestamp.Type

/**
 * A share of traffic, capacity or health in percent, 0–100.
 */
export const Percent = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))
export type Percent = typeof Percent.Type
