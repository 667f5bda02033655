/**
 * The provider for plain processes behind a weighted reverse proxy.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  type Candidate,
  type Capabilities,
  type Json,
  type Mutation,
  type Observation,
  type Provider,
  ProviderError,
  type ProviderReason,
  type Release,
  type StackPlan,
  type StackRef
} from "@signalbox/core/spi"
import { digest, parse, type Source, unpack } from "./Artifact.ts"
import { Client, type SupervisorOptions } from "./Client.ts"
import { decode, digestOf, Properties, runtimeOf, secretsOf } from "./Properties.ts"
import {
  type MutationHeader,
  type Mutations,
  Refusal,
  type ReleaseRecord,
  type Runtime,
  type StackView
} from "./supervisor/Protocol.ts"
import { releaseDirectory } from "./supervisor/Paths.ts"

/**
 * Where a local provider keeps its things and how it finds others.
 *
 * *Details*: `directory` the `.signalbox` folder; `cwd` what relative artifacts are relative to (default the working
 * directory); `env` where references to secrets are looked up (default the process's environment).
 *
 * @since 0.1.0
 */
export interface LocalOptions {
  readonly directory: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly supervisor?: SupervisorOptions
}

/** What a stack names as its provider. @since 0.1.0 */
export const kind = "local"

/** All that a provider can be asked for. @since 0.1.0 */
export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: true,
  metrics: true,
  drift: true,
  restart: true,
  fencing: true,
  outputs: ["url", "port"]
}

const absent: Observation = {
  status: "absent",
  stable: null,
  candidate: null,
  traffic: [],
  health: {},
  operation: null,
  lastChangedAt: null,
  outputs: {},
  resources: []
}

/** What a local checkpoint needs besides the release. */
const runtimeIn = (data: Json): Runtime | null =>
  typeof data === "object" && data !== null && "runtime" in data ? (data.runtime as unknown as Runtime) : null

/**
 * Makes the provider of kind `local`: a stack is a group of processes on this machine behind a reverse proxy that divides
 * requests by weight.
 *
 * *When to use*: on a laptop, in tests and examples, on a single server; and as the reference for other adapters.
 *
 * *Details*: processes and proxy belong to a supervisor that is started when it is first needed and outlives the caller. It
 * ends by itself when the last stack is destroyed. Everything is on the loopback interface.
 *
 * *Errors*: `ProviderError`; `Broken` with the end of the process's log where a release does not come up.
 *
 * *Example*
 *
 * ```ts
 * const local = LocalProvider.make({ directory: ".signalbox" })
 * const layer = Providers.layer([local])
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: LocalOptions): Provider => {
  const client = new Client(options.directory, options.supervisor)
  const cwd = options.cwd ?? process.cwd()
  const env = options.env ?? process.env

  const named = (operation: string, ref: StackRef) =>
    Effect.mapError((error: ProviderReason | ProviderError) =>
      error instanceof ProviderError
        ? error
        : new ProviderError({ provider: kind, operation, stackName: ref.stack, reason: error })
    )

  const observed = (view: StackView | null): Observation => view?.observation ?? absent

  const sourceOf = (
    ref: StackRef,
    candidate: Candidate,
    properties: Properties
  ): Effect.Effect<Source, ProviderReason> => {
    const given = candidate.artifact ?? properties.artifact
    if (given === undefined) {
      return Effect.fail({
        _tag: "Invalid",
        message: "there is no artifact",
        path: ["artifact"],
        hint: `Give ${ref.stack} an artifact in its properties, or the deployment one with --artifact.`
      })
    }
    // A digest in the properties is that of the artifact in the properties.
    const digest =
      candidate.artifact === undefined || candidate.artifact === properties.artifact ? properties.digest : undefined
    return refusing(() => parse(given, digest, cwd, env))
  }

  /** The secrets of a runtime; what is not there is left to the supervisor, which may know it. */
  const secretsFor = (runtime: Runtime | undefined): Record<string, string> =>
    Object.fromEntries(
      (runtime === undefined ? [] : secretsOf(runtime)).flatMap(({ variable }) =>
        env[variable] === undefined ? [] : [[variable, env[variable]]]
      )
    )

  const mutate = <Operation extends keyof Mutations>(
    operation: Operation,
    ref: StackRef,
    mutation: Mutation,
    body: Mutations[Operation],
    runtime?: Runtime
  ): Effect.Effect<Observation, ProviderReason | ProviderError> => {
    const header: MutationHeader = {
      ...keyOf(ref),
      idempotencyKey: mutation.idempotencyKey,
      fence: mutation.fence,
      secrets: secretsFor(runtime)
    }
    return Effect.map(client.mutate(operation, header, body, mutation), observed)
  }

  const runtimeFrom = (ref: StackRef) => Effect.map(decode(ref.properties), runtimeOf)

  return {
    kind,
    capabilities,
    properties: Properties,
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const runtime = runtimeOf(properties)
        for (const { property, variable } of secretsOf(runtime)) {
          if (env[variable] === undefined) {
            return yield* Effect.fail<ProviderReason>({
              _tag: "Invalid",
              message: `the environment variable ${variable} is not set`,
              path: ["env", property],
              hint: `Set ${variable} where signalbox runs.`
            })
          }
        }
        const source = yield* sourceOf(ref, candidate, properties)
        const found = yield* reaching((signal) => digest(source, signal))
        const view = yield* client.observe(keyOf(ref))
        const configDigest = digestOf(runtime)
        const release: Release = {
          id: digestOf([found, configDigest, candidate.version]).slice(0, 24),
          version: candidate.version,
          artifact: source.shown,
          digest: found,
          configDigest
        }
        return describe(ref, release, runtime, view, yield* Clock.currentTimeMillis)
      }).pipe(named("plan", ref)),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const release = plan.candidate
        const source = yield* sourceOf(
          ref,
          { version: release.version, ...(release.artifact === undefined ? {} : { artifact: release.artifact }) },
          properties
        )
        yield* mutation.guard
        yield* reaching((signal) =>
          unpack(source, release.digest!, releaseDirectory(client.directory, keyOf(ref), release.digest!), signal)
        )
        const runtime = runtimeOf(properties)
        return yield* mutate("stage", ref, mutation, { record: { release, runtime }, capacityPercent }, runtime)
      }).pipe(named("stage", ref)),
    observe: (ref) => Effect.map(client.observe(keyOf(ref)), observed).pipe(named("observe", ref)),
    rollback: (ref, checkpoint, mutation) => {
      const runtime = runtimeIn(checkpoint.data)
      const record: ReleaseRecord | null =
        checkpoint.release === null || runtime === null ? null : { release: checkpoint.release, runtime }
      return mutate("rollback", ref, mutation, { checkpoint, record }, runtime ?? undefined).pipe(
        named("rollback", ref)
      )
    },
    destroy: (ref, mutation) => Effect.asVoid(mutate("destroy", ref, mutation, {})).pipe(named("destroy", ref)),
    traffic: {
      shift: (ref, body, mutation) => mutate("shift", ref, mutation, body).pipe(named("shift", ref)),
      retire: (ref, body, mutation) => mutate("retire", ref, mutation, body).pipe(named("retire", ref))
    },
    metrics: {
      measure: (ref, { releaseId, window }) =>
        client.measure(keyOf(ref), { releaseId, windowMillis: Duration.toMillis(window) }).pipe(named("measure", ref))
    },
    drift: {
      detect: (ref) =>
        Effect.flatMap(runtimeFrom(ref), (runtime) =>
          client.detect(keyOf(ref), { configDigest: digestOf(runtime) })
        ).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        Effect.flatMap(runtimeFrom(ref), (runtime) => mutate("correct", ref, mutation, { fields }, runtime)).pipe(
          named("correct", ref)
        )
    },
    restart: (ref, mutation) =>
      Effect.flatMap(runtimeFrom(ref), (runtime) => mutate("restart", ref, mutation, {}, runtime)).pipe(
        named("restart", ref)
      ),
    fence: ({ deploymentId, environment }, fence) =>
      Effect.mapError(
        client.fence({ deploymentId, environment, stack: "" }, fence),
        (reason) => new ProviderError({ provider: kind, operation: "fence", stackName: "", reason })
      )
  }
}

/**
 * Stops the supervisor of a directory and all processes that it holds. What is deployed comes back with the next call to the
 * provider.
 *
 * @since 0.1.0
 */
export const stop = (directory: string): Effect.Effect<void, ProviderError> =>
  Effect.mapError(
    new Client(directory, undefined).stop,
    (reason) => new ProviderError({ provider: kind, operation: "stop", stackName: "", reason })
  )

const keyOf = ({ deploymentId, environment, stack }: StackRef) => ({ deploymentId, environment, stack })

const refusing = <A>(run: () => A): Effect.Effect<A, ProviderReason> => Effect.try({ try: run, catch: classify })

const reaching = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ProviderReason> =>
  Effect.tryPromise({ try: run, catch: classify })

const classify = (error: unknown): ProviderReason => {
  if (error instanceof Refusal) return error.reason
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return { _tag: "Denied", message: `not allowed: ${code}` }
  if (code === "ENOSPC" || code === "EDQUOT") return { _tag: "Unavailable", message: "the disk is full" }
  return { _tag: "Unexpected", message: message ?? String(error) }
}

const describe = (
  ref: StackRef,
  release: Release,
  runtime: Runtime,
  view: StackView | null,
  takenAt: number
): StackPlan => {
  const seen = view?.observation ?? absent
  const stable = view?.stable ?? null
  const carries = seen.traffic.find(({ releaseId }) => releaseId === release.id)?.percent ?? 0
  const none =
    stable?.release.id === release.id && seen.candidate === null && (carries === 100 || seen.status === "failed")
  const processes = `${runtime.instances} ${runtime.instances === 1 ? "process" : "processes"}`
  const changes = none
    ? []
    : [
        stable === null
          ? `start ${processes} of ${release.version} behind a new proxy${runtime.port === 0 ? "" : ` on port ${runtime.port}`}`
          : `start ${processes} of ${release.version} beside ${stable.release.version}`,
        ...(stable === null ? [] : differences(stable, { release, runtime }))
      ]
  return {
    action: none ? "none" : stable === null ? "create" : "update",
    candidate: release,
    checkpoint: {
      release: stable?.release ?? null,
      takenAt,
      data: stable === null ? null : { runtime: stable.runtime as unknown as Json, traffic: seen.traffic }
    },
    changes,
    rollback:
      stable === null
        ? `${ref.stack} goes away: its processes are stopped and its port is given back`
        : `all traffic goes back to ${stable.release.version}, whose files are kept; ${release.version} is drained and stopped`,
    warnings: [
      ...(seen.candidate === null || seen.candidate.id === release.id
        ? []
        : [`${seen.candidate.version} was left half brought in; it is taken away`]),
      ...(seen.operation === null ? [] : [`an operation is under way: ${seen.operation.description}`]),
      ...(seen.status === "failed" ? [`no process of ${stable?.release.version} is ready`] : [])
    ]
  }
}

const differences = (before: ReleaseRecord, after: ReleaseRecord): ReadonlyArray<string> => {
  const changes: Array<string> = []
  if (before.release.digest !== after.release.digest) changes.push("the artifact changes")
  const [old, fresh] = [before.runtime, after.runtime]
  for (const name of new Set([...Object.keys(old.env), ...Object.keys(fresh.env)])) {
    // Names only: values may be nobody's business.
    if (JSON.stringify(old.env[name]) !== JSON.stringify(fresh.env[name])) changes.push(`env.${name} changes`)
  }
  for (const key of ["command", "cwd", "instances", "readiness", "port", "drain", "grace", "keep"] as const) {
    if (JSON.stringify(old[key]) !== JSON.stringify(fresh[key])) changes.push(`${key} changes`)
  }
  return changes
}
