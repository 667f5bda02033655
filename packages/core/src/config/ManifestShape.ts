/**
 * The shape of a manifest, field by field from the domain's own schemas.
 */
import * as Schema from "effect/Schema"
import { EnvironmentName, StackName } from "../domain/Ids.ts"
import {
  ApprovalSpec,
  CanaryStep,
  CompareSpec,
  EnvironmentSpec,
  GateSpec,
  Manifest,
  MetricsSpec,
  PluginSpec,
  RequiredDeployment,
  StackSpec,
  StrategySpec
} from "../domain/Spec.ts"
import { formatPath } from "./ConfigurationIssue.ts"
import { fact } from "./KeyFacts.ts"
import { freeze } from "./FreezeShape.ts"
import { notifications } from "./NotificationsShape.ts"
import { fieldsOf, type Inspect, isObject, leaf, list, optional, record, struct, wrong } from "./ShapeWalk.ts"

const approval = optional(struct("approval", fieldsOf(ApprovalSpec.fields)))
const step = struct("step", fieldsOf(CanaryStep.fields, { approval }))

const rising: Inspect = (value, path) => {
  const weights = (value as ReadonlyArray<{ readonly weight: number }>).map(({ weight }) => weight)
  if (weights.length === 0) return [wrong(value, path, "steps")]
  const at = weights.findIndex((weight, index) => index > 0 && weight <= weights[index - 1]!)
  return at === -1
    ? []
    : [
        {
          path: formatPath([...path, at, "weight"]),
          message: `expected a weight above the previous step's (${weights[at - 1]}), got ${weights[at]}`,
          expected: "canary steps whose weights rise",
          hint: "Order the steps by weight and leave out repeated weights."
        }
      ]
}

const strategies: ReadonlyMap<string, Inspect> = new Map(
  StrategySpec.members.map(({ fields }) => [
    fields.type.literal,
    struct("strategy", fieldsOf(fields, { type: () => [], approval, steps: optional(list("steps", step, rising)) }))
  ])
)

export const strategy: Inspect = (value, path) => {
  if (!isObject(value)) {
    const issue = wrong(value, path, "strategy")
    return [
      typeof value === "string" && strategies.has(value)
        ? { ...issue, hint: `Write strategy: { "type": "${value}" }.` }
        : issue
    ]
  }
  const inspect = strategies.get(String(value.type))
  return inspect === undefined ? [wrong(value.type, [...path, "type"], "type")] : inspect(value, path)
}

const compare = optional(
  // `minSamples` of a comparison is a different number from its gate's.
  struct(
    "compare",
    fieldsOf(CompareSpec.fields, { minSamples: leaf(CompareSpec.fields.minSamples, "comparedSamples") })
  )
)
export const gate = struct(
  "gate",
  fieldsOf(GateSpec.fields, { compare, alarms: optional(list("alarms", leaf(Schema.String, "alarm"))) })
)
const queries = record("queries", () => [], leaf(MetricsSpec.fields.queries.value, "query"))
const metrics = struct(
  "metrics",
  fieldsOf(MetricsSpec.fields, { queries, resolution: leaf(MetricsSpec.fields.resolution, "resolution") })
)
const properties: Inspect = (value, path) => (isObject(value) ? [] : [wrong(value, path, "properties")])
const dependency = leaf(StackName, "name")
const edge = struct("edge", { stack: dependency, lockstep: optional(leaf(Schema.Boolean, "lockstep")) })
const dependsOn = list("dependsOn", (value, path) => (isObject(value) ? edge : dependency)(value, path))

// In a file, each dependency says for itself whether it is in lockstep.
const { lockstep: _, ...written } = StackSpec.fields

const stack = struct(
  "stack",
  fieldsOf(written, {
    dependsOn: optional(dependsOn),
    strategy: optional(strategy),
    gate: optional(gate),
    metrics: optional(metrics),
    properties: optional(properties)
  })
)

const override = struct("override", {
  enabled: optional(leaf(Schema.Boolean, "enabled")),
  region: leaf(StackSpec.fields.region, "region"),
  account: leaf(StackSpec.fields.account, "account"),
  strategy: optional(strategy),
  gate: optional(gate),
  metrics: optional(metrics),
  properties: optional(properties)
})

const required = struct(
  "requirement",
  // The environment of a requirement is a name; the environment of a manifest is an object.
  fieldsOf(RequiredDeployment.fields, {
    environment: leaf(RequiredDeployment.fields.environment, "environmentName")
  })
)

const named = (schema: Schema.ConstraintDecoder<unknown>, expected: string): Inspect => {
  const is = Schema.is(schema)
  return (value, path) =>
    is(value)
      ? []
      : [
          {
            path: formatPath(path),
            message: `expected ${expected} as the key`,
            expected,
            hint: "Use lower-case letters, digits and '-'."
          }
        ]
}

const environment = struct(
  "environment",
  fieldsOf(EnvironmentSpec.fields, {
    stacks: optional(record("overrides", named(StackName, "a stack name"), override))
  })
)

const atLeastOne =
  (key: string, inspect: Inspect): Inspect =>
  (value, path) =>
    (isObject(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0)
      ? [
          {
            path: formatPath(path),
            message: `expected ${fact(key).expected}, got an empty one`,
            expected: fact(key).expected,
            hint: `Write for example ${key}: ${fact(key).example}.`
          }
        ]
      : inspect(value, path)

/** All issues of the shape of a manifest. */
export const manifest: Inspect = struct(
  "",
  fieldsOf(Manifest.fields, {
    environments: atLeastOne(
      "environments",
      record("environments", named(EnvironmentName, "an environment name"), environment)
    ),
    stacks: atLeastOne("stacks", list("stacks", stack)),
    requires: optional(list("requires", required)),
    freezes: optional(list("freezes", freeze)),
    notifications: optional(notifications),
    plugins: optional(list("plugins", struct("pluginEntry", fieldsOf(PluginSpec.fields, { options: () => [] }))))
  })
)
