/**
 * What a release would change: by a change set in an execution, by comparing templates in a preview.
 */
import type { Candidate, PlannedResource, PlanTarget, ProviderReason, Release, StackPlan } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Failure } from "./Calls.ts"
import * as ChangeSet from "./ChangeSet.ts"
import { type Deployable, hidden, pack, present } from "./Deployable.ts"
import { digestOf } from "../client/digestOf.ts"
import { inProgress, parametersOf, see, type Seen, type Values } from "./Seen.ts"
import { meaningOf } from "./StackStatus.ts"
import { type Template, templateDigest, withRecord } from "./template/Template.ts"
import { templateOf } from "./template/TemplateFile.ts"
import { checkSize } from "./template/TemplateUpload.ts"
import { settled, stuck, type Work } from "./Work.ts"

/** Values as CloudFormation takes them, without secrets. */
const asText = (values: Readonly<Record<string, string | number | boolean | object>>): Values =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === "object" ? [] : [[name, String(value)]]))
  )

/** Parameters that keep their value, and those for which there is none. */
const unsaid = (template: Template, given: ReadonlyArray<string>, seen: Seen | null) => {
  const had = seen === null ? [] : Object.keys(parametersOf(seen.stack))
  const names = Object.keys(template.content.Parameters ?? {}).filter((name) => !given.includes(name))
  return {
    previous: names.filter((name) => had.includes(name)),
    missing: names.filter((name) => !had.includes(name) && template.content.Parameters?.[name]?.Default === undefined)
  }
}

/** Whether a stack has these values already; what is hidden counts as the same. */
const hasValues = ({ stack }: Seen, given: Values): boolean => {
  const now = parametersOf(stack)
  return Object.entries(given).every(([name, value]) => now[name] === value || now[name] === hidden)
}

/** The state that a plan starts from; fails if no update is possible from it. */
const startingPoint = (work: Work, preview: boolean): Effect.Effect<Seen | null, Failure> =>
  Effect.gen(function* () {
    if (!preview) yield* settled(work)
    const seen = yield* see(work.calls, work.name)
    if (seen === null) return null
    const status = seen.stack.StackStatus ?? ""
    const { class: kind, hint } = meaningOf(status)
    if (kind === "stuck") return yield* Effect.fail(stuck(work.name, status, hint))
    if (kind === "unusable" && seen.template.record === null) {
      const hint = "It can only be deleted: aws cloudformation delete-stack, or signalbox destroy-stack."
      return yield* Effect.fail(stuck(work.name, `${status}, and was not brought there by Signalbox`, hint))
    }
    return seen
  })

const creations = ({ content }: Template): ReadonlyArray<PlannedResource> =>
  Object.entries(content.Resources ?? {}).map(([resource, { Type = "" }]) => ({
    resource,
    type: Type,
    action: "create",
    replacement: false
  }))

/** Compares templates without a call; what depends on values of parameters is only guessed. */
const estimated = (seen: Seen, template: Template): Effect.Effect<ReadonlyArray<PlannedResource>, ProviderReason> =>
  Effect.tryPromise({
    try: async () => {
      const { estimate } = await import("./template/Estimate.ts")
      return estimate(seen.template.content, template.content)
    },
    catch: (error): ProviderReason => ({ _tag: "Unexpected", message: `the templates cannot be compared: ${error}` })
  })

export const plan = (
  work: Work,
  {
    bucket,
    candidate,
    directory,
    fromS3,
    preview,
    target
  }: {
    readonly candidate: Candidate
    readonly directory: string
    readonly fromS3: (address: string) => Effect.Effect<string, ProviderReason>
    readonly preview: boolean
    readonly bucket: string | undefined
    readonly target: PlanTarget
  }
): Effect.Effect<StackPlan, Failure> =>
  Effect.gen(function* () {
    const { name, properties } = work
    const template = yield* templateOf(directory, candidate, properties, fromS3)
    const secrets = work.secrets.parameters
    yield* Effect.forEach(secrets, (name) => work.secrets.value(name))
    const found = yield* startingPoint(work, preview)
    const unusable = found !== null && meaningOf(found.stack.StackStatus!).class === "unusable"
    const seen = unusable ? null : found
    const parameters = asText(properties.parameters)
    const tags = properties.tags === undefined ? undefined : asText(properties.tags)
    const { missing, previous } = unsaid(template, [...Object.keys(parameters), ...secrets], seen)
    if (missing.length > 0) {
      const message = `${template.shown} needs a value for ${missing.join(", ")}`
      return yield* Effect.fail<ProviderReason>({ _tag: "Invalid", message, path: ["parameters"] })
    }
    const digest = templateDigest(template)
    const configDigest = digestOf([parameters, tags ?? null, ...(secrets.length === 0 ? [] : [secrets])])
    const release: Release = {
      id: digestOf([digest, configDigest]).slice(0, 24),
      version: candidate.version,
      artifact: template.shown,
      digest,
      configDigest
    }
    const deployable: Deployable = {
      body: withRecord(template.body, { release, before: seen?.release ?? null }),
      parameters,
      previous,
      ...(secrets.length === 0 ? {} : { secrets }),
      ...(tags === undefined ? {} : { tags }),
      capabilities: properties.capabilities
    }
    yield* checkSize(deployable.body, bucket)
    const operation = found === null ? null : yield* inProgress(work.calls, found.stack)
    const usable = seen !== null && meaningOf(seen.stack.StackStatus!).class === "usable"
    const same = usable && seen.release.id === release.id && hasValues(seen, parameters)
    const base = {
      checkpoint: {
        release: seen?.release ?? null,
        takenAt: Math.floor(yield* Clock.currentTimeMillis),
        data: seen === null ? null : pack(present(seen, work.secrets))
      },
      rollback:
        seen === null ? `${name} is deleted` : `${name} goes back to ${seen.release.version} by an update of its own`,
      target
    }
    const nothing: StackPlan = {
      ...base,
      action: "none",
      candidate: seen?.release ?? release,
      changes: [],
      warnings:
        seen !== null && seen.release.version !== candidate.version
          ? [`${candidate.version} does not reach the template or its parameters, so ${name} stays as it is`]
          : []
    }
    if (same) return nothing
    const warnings = operation === null ? [] : [`an operation is in progress: ${found!.stack.StackStatus}`]
    if (seen === null) {
      const resources = creations(template)
      return {
        ...base,
        action: "create",
        candidate: release,
        changes: [
          ...(found === null ? [] : [`delete what is left of a creation that failed (${found.stack.StackStatus})`]),
          ...resources.map((one) => ChangeSet.changeText(one))
        ],
        warnings,
        resources,
        data: pack(deployable)
      }
    }
    if (preview) {
      const resources = yield* estimated(seen, template)
      const texts = resources.map((one) => ChangeSet.changeText(one))
      return {
        ...base,
        action: "update",
        candidate: release,
        changes: texts.length === 0 ? [`update ${name} with other parameters or tags`] : texts,
        warnings: [...warnings, "this is an estimate from the templates; the deployment asks CloudFormation"],
        resources,
        data: pack(deployable)
      }
    }
    yield* ChangeSet.removeOthers(work)
    const changeSet = yield* ChangeSet.make(work, seen.stack, deployable)
    if (changeSet === "empty") return nothing
    yield* ChangeSet.protect(work, changeSet)
    return {
      ...base,
      action: "update",
      candidate: release,
      changes: changeSet.changes,
      warnings,
      resources: changeSet.resources,
      data: { ...pack(deployable), changeSet: changeSet.id }
    }
  })
