/**
 * Jobs and executions of Cloud Run, in one form for both protocols, and what Signalbox records in their annotations.
 */
import { Json, Release } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { int, millis, plain, shortName } from "../client/index.ts"
import { digestOf } from "../marks.ts"
import { imageOf, readAnnotation, releaseKey, stateKey } from "../cloudrun/Record.ts"
import { type Annotations, type Condition, conditionFrom, type JsonObject } from "../cloudrun/RunService.ts"

/** Which step an execution belongs to: it copies the annotations of the job's template. */
const ExecutionRecord = Schema.Struct({ release: Schema.String, step: Schema.String, fence: Schema.Int })
export type ExecutionRecord = typeof ExecutionRecord.Type

const Before = Schema.Struct({ release: Release, template: Schema.Record(Schema.String, Json) })

/**
 * *Details*: `release` is what the job is configured to run, `done` whether it has run to its end, and `before` what had
 * run until then. `generation` is the one that the change has made: a job of another one was changed by others since.
 */
const JobState = Schema.Struct({
  stack: Schema.String,
  release: Release,
  done: Schema.Boolean,
  before: Schema.NullOr(Before),
  generation: Schema.Int,
  step: Schema.String,
  fence: Schema.Int
})
export type JobState = typeof JobState.Type

/** A job. `rest` is what an update has to send again, because it has no mask. */
export interface Job {
  readonly name: string
  readonly etag: string
  readonly generation: number
  readonly annotations: Annotations
  readonly template: JsonObject
  readonly rest: JsonObject
  readonly reconciling: boolean
  readonly deleting: boolean
  readonly terminal: Condition
  readonly changedAt: number | null
}

export interface JobExecution {
  readonly name: string
  readonly record: ExecutionRecord | null
  readonly state: "running" | "succeeded" | "failed"
  readonly condition: Condition
  readonly logUri: string
  readonly createdAt: number
}

type Wire = Readonly<Record<string, unknown>>

/** Reads a job from what either protocol sent. Annotations of the template are no part of what it runs. */
export const jobFrom = (value: unknown): Job => {
  const wire = value as Wire
  const template = (wire["template"] ?? {}) as Wire
  const task = (template["template"] ?? {}) as Wire
  const { annotations: _, ...others } = template
  const read = (plain({ ...others, template: task }) ?? {}) as JsonObject
  const { binaryAuthorization, labels, launchStage } = wire
  return {
    name: String(wire["name"]),
    etag: String(wire["etag"] ?? ""),
    generation: int(wire["generation"]),
    annotations: (wire["annotations"] ?? {}) as Annotations,
    // No retries are the default of the wire, but not of Cloud Run.
    template: { ...read, template: { ...(read["template"] as JsonObject), maxRetries: int(task["maxRetries"]) } },
    rest: (plain({ labels, launchStage, binaryAuthorization }) ?? {}) as JsonObject,
    reconciling: wire["reconciling"] === true,
    deleting: millis(wire["deleteTime"]) !== null,
    terminal: conditionFrom(wire["terminalCondition"]),
    changedAt: millis(wire["updateTime"])
  }
}

/** Reads an execution from what either protocol sent. */
export const executionFrom = (value: unknown): JobExecution => {
  const wire = value as Wire
  const conditions = Array.isArray(wire["conditions"]) ? wire["conditions"].map(conditionFrom) : []
  const completed = conditions.find(({ type }) => type === "Completed") ?? conditionFrom(undefined)
  const annotations = (wire["annotations"] ?? {}) as Annotations
  return {
    name: shortName(wire["name"]),
    record: readAnnotation(ExecutionRecord, annotations[releaseKey]),
    state: completed.state === "SUCCEEDED" ? "succeeded" : completed.state === "FAILED" ? "failed" : "running",
    condition: completed,
    logUri: String(wire["logUri"] ?? ""),
    createdAt: millis(wire["createTime"]) ?? 0
  }
}

export const stateOf = ({ annotations }: Job): JobState | null => readAnnotation(JobState, annotations[stateKey])

/** The annotations of a job and of its template. */
export const annotated = (annotations: Annotations, state: JobState) => {
  const record: ExecutionRecord = { release: state.release.id, step: state.step, fence: state.fence }
  return {
    annotations: { ...annotations, [stateKey]: JSON.stringify(state) },
    template: { annotations: { [releaseKey]: JSON.stringify(record) } }
  }
}

/** The release of a job that was not deployed by Signalbox. */
export const foundRelease = ({ name, template }: Job): Release => {
  const configDigest = digestOf(template)
  const image = imageOf((template["template"] ?? {}) as JsonObject)
  const id = digestOf([name, configDigest]).slice(0, 24)
  return { id, version: `found-${id.slice(0, 8)}`, artifact: image, configDigest }
}
