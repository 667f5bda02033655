/** Rows to values and back. Unreadable data is `Corrupt`. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Environment from "../../domain/Environment.ts"
import { Event, eventTags, type NewEvent, type StoredEvent } from "../../domain/Event.ts"
import * as Execution from "../../domain/Execution.ts"
import { StoreError } from "../../spi/StoreError.ts"
import type { DeploymentRow, EnvironmentRow, EventRow, ExecutionRow } from "../Encoded.ts"
import { Lru } from "./Lru.ts"

// States are their own JSON. If that changes, these lines stop compiling and need an encoder.
type Plain<S extends Schema.Constraint> = S["Type"] extends S["Encoded"] ? S["Type"] : never
const encodeExecution = (state: Plain<typeof Execution.ExecutionState>): string => JSON.stringify(state)
const encodeEnvironment = (state: Plain<typeof Environment.EnvironmentState>): string => JSON.stringify(state)
const encodeDeployment = (state: Plain<typeof Environment.Deployment>): string => JSON.stringify(state)

// Fields that a newer version added are left out here and stay in the log: events are never written again, and a state
// that a newer version wrote is not either (`append.ts`).
const encodeEventResult = Schema.encodeResult(Event)
const decodeEventResult = Schema.decodeUnknownResult(Event)
const known: ReadonlySet<string> = new Set(eventTags)

/** The JSON of an event. */
export const encodeEvent = ({ event, id }: NewEvent): Result.Result<string, StoreError> =>
  Result.mapBoth(encodeEventResult(event), {
    onSuccess: (encoded) => JSON.stringify(encoded),
    onFailure: (issue) =>
      new StoreError({
        operation: "append",
        reason: "Unexpected",
        detail: `event ${id} does not fit its schema: ${issue.message}`
      })
  })

const corrupt = (what: string, cause: unknown) =>
  new StoreError({ operation: "read", reason: "Corrupt", detail: `${what} cannot be read`, cause })

const parse = (what: string, text: string): Result.Result<unknown, StoreError> =>
  Result.try({ try: () => JSON.parse(text) as unknown, catch: (cause) => corrupt(what, cause) })

export const decodeEvent = (row: EventRow): Result.Result<StoredEvent, StoreError> => {
  const what = `event ${row.seq} of ${row.stream}`
  return Result.flatMap(parse(what, row.body), (body) =>
    Result.mapBoth(decodeEventResult(known.has(row.tag) ? body : unknownEvent(row.tag, body)), {
      onSuccess: (event) => storedEvent(row, event),
      onFailure: (issue) => corrupt(what, issue)
    })
  )
}

/** An event that a newer version wrote, without its tag. */
const unknownEvent = (tag: string, body: unknown) => {
  const { _tag: _, ...fields } = body as { readonly _tag?: unknown }
  return { _tag: "Unknown", tag, body: fields }
}

export const storedEvent = (row: EventRow, event: Event): StoredEvent => ({
  stream: row.stream,
  seq: row.seq,
  position: row.position,
  deploymentId: row.deploymentId as StoredEvent["deploymentId"],
  environment: row.environment as StoredEvent["environment"],
  id: row.id,
  at: row.at,
  event
})

/** Decodes states once per text: rereading a page of history costs no decoding. */
const decoder = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, capacity: number) => {
  const decode = Schema.decodeUnknownResult(schema)
  const known = new Lru<string, { readonly text: string; readonly state: S["Type"] }>(capacity)
  return {
    keep: (key: string, text: string, state: S["Type"]) => known.set(key, { text, state }),
    read: (key: string, text: string): Result.Result<S["Type"], StoreError> => {
      const before = known.get(key)
      if (before?.text === text) return Result.succeed(before.state)
      return Result.flatMap(parse(key, text), (json) =>
        Result.mapBoth(decode(json), {
          onSuccess: (state) => {
            known.set(key, { text, state })
            return state
          },
          onFailure: (issue) => corrupt(key, issue)
        })
      )
    }
  }
}

/** The codec of one store, for a process that writes `generation`. */
export const makeCodec = (generation: number) => {
  const executions = decoder(Execution.ExecutionState, 1_024)
  const environments = decoder(Environment.EnvironmentState, 256)
  const deployments = decoder(Environment.Deployment, 256)
  return {
    execution: (row: ExecutionRow) => executions.read(row.stream, row.state),
    environment: (row: EnvironmentRow) => environments.read(`${row.deploymentId}/${row.environment}`, row.state),
    deployment: (row: DeploymentRow) => deployments.read(row.deploymentId, row.state),
    executionRow: (state: Execution.ExecutionState): ExecutionRow => {
      const text = encodeExecution(state)
      executions.keep(state.correlationId, text, state)
      return {
        stream: state.correlationId,
        deploymentId: state.deploymentId,
        environment: state.environment,
        kind: state.kind,
        status: state.status,
        finished: Execution.isFinished(state),
        requestedAt: state.requestedAt,
        // Postgres cannot store NUL.
        search: [
          state.correlationId,
          state.version,
          state.by,
          state.reason,
          state.origin?.commit,
          state.origin?.workflowRun,
          state.command
        ]
          .join("\n")
          .toLowerCase()
          .replaceAll("\0", " "),
        generation,
        state: text
      }
    },
    environmentRow: (state: Environment.EnvironmentState, version: number): EnvironmentRow => ({
      deploymentId: state.deploymentId,
      environment: state.environment,
      version,
      generation,
      state: encodeEnvironment(state)
    }),
    deploymentRow: (state: Environment.Deployment): DeploymentRow => ({
      deploymentId: state.deploymentId,
      createdAt: state.createdAt,
      generation,
      state: encodeDeployment(state)
    })
  }
}

/** Decodes an optional value. */
export const optionally = <Row, A>(
  row: Row | undefined,
  decode: (row: Row) => Result.Result<A, StoreError>
): Effect.Effect<A | undefined, StoreError> => (row === undefined ? Effect.undefined : Effect.fromResult(decode(row)))

/** Decodes all of them, or fails with the first unreadable one. */
export const all = <Row, A>(
  rows: ReadonlyArray<Row>,
  decode: (row: Row) => Result.Result<A, StoreError>
): Effect.Effect<ReadonlyArray<A>, StoreError> => {
  const values: Array<A> = []
  for (const row of rows) {
    const decoded = decode(row)
    if (Result.isFailure(decoded)) return Effect.fail(decoded.failure)
    values.push(decoded.success)
  }
  return Effect.succeed(values)
}
