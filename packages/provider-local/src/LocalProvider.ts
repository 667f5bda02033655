/**
 * The provider for plain processes behind a weighted reverse proxy.
 */
import { existsSync } from "node:fs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  absent,
  asProviderError,
  type Capabilities,
  type Json,
  type Mutation,
  type Observation,
  type Provider,
  ProviderError,
  type ProviderReason,
  reportProgress,
  type Release,
  type StackRef,
  type WayBack
} from "@signalbox/core/spi"
import { digest, unpack } from "./Artifact.ts"
import { Client, type SupervisorOptions } from "./Client.ts"
import { foreseen, reaching } from "./Failures.ts"
import * as Foreseen from "./Foreseen.ts"
import { folderOf, sourceOf } from "./GivenArtifact.ts"
import * as Kept from "./Kept.ts"
import { describePlan } from "./PlanDescription.ts"
import { decode, digestOf, Properties, runtimeOf } from "./Properties.ts"
import { redactor, requireSecrets, secretsFor } from "./SecretValues.ts"
import {
  type Held,
  type MutationHeader,
  type Mutations,
  type ReleaseRecord,
  type Runtime,
  type StackView
} from "./supervisor/Protocol.ts"
import { releaseDirectory } from "./supervisor/Paths.ts"

/**
 * Where a local provider keeps its files and how it finds others.
 *
 * *Details*: `directory` the `.signalbox` folder; `cwd` the base of relative artifacts (default the working directory);
 * `env` where secrets are looked up (default the process's environment).
 */
export interface LocalOptions {
  readonly directory: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly supervisor?: SupervisorOptions
}

/** What a stack names as its provider. */
export const kind = "local"

/** Every operation of the provider. */
export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: true,
  fencing: "compared",
  outputs: ["url", "port"]
}

/** The data of a local checkpoint besides the release. */
const runtimeIn = (data: Json): Runtime | null =>
  typeof data === "object" && data !== null && "runtime" in data ? (data.runtime as unknown as Runtime) : null

/**
 * Creates the provider of kind `local`: a stack is a group of processes on this machine behind a reverse proxy that
 * divides requests by weight.
 *
 * *When to use*: on a laptop, in tests and examples, on a single server; and as the reference for other adapters.
 *
 * *Details*: processes and proxy belong to a supervisor that starts when it is first needed and outlives the caller. It
 * ends when the last stack is destroyed. Everything is on the loopback interface.
 *
 * *Errors*: `ProviderError`; `Broken` with the end of the process's log if a release does not become ready.
 *
 * *Example*
 *
 * ```ts
 * const local = LocalProvider.make({ directory: ".signalbox" })
 * const layer = Providers.layer([local])
 * ```
 */
export const make = (options: LocalOptions): Provider => {
  const client = new Client(options.directory, options.supervisor)
  const cwd = options.cwd ?? process.cwd()
  const env = options.env ?? process.env

  const named = asProviderError(kind)

  const observed = (view: StackView | null): Observation => view?.observation ?? absent

  const mutate = <Operation extends keyof Mutations>(
    operation: Operation,
    ref: StackRef,
    mutation: Mutation,
    body: Mutations[Operation],
    runtimes: ReadonlyArray<Runtime | null> = []
  ): Effect.Effect<Observation, ProviderReason | ProviderError> =>
    Effect.gen(function* () {
      // Every operation sends its secrets: the supervisor that executes it may be a new one without any.
      const configured = yield* Effect.match(decode(ref.properties), { onFailure: () => null, onSuccess: runtimeOf })
      const header: Omit<MutationHeader, "order"> = {
        ...keyOf(ref),
        idempotencyKey: mutation.idempotencyKey,
        fence: mutation.fence,
        secrets: operation === "destroy" ? {} : secretsFor([configured, ...runtimes], env)
      }
      return observed(
        yield* client
          .mutate(operation, header, body, {
            guard: mutation.guard,
            progress: (message, resource) =>
              reportProgress(mutation, message, resource === undefined ? {} : { resource })
          })
          .pipe(
            Effect.mapError((error) =>
              "_tag" in error && error._tag === "Broken"
                ? { ...error, message: redactor(header, [configured, ...runtimes]).redact(error.message) }
                : error
            )
          )
      )
    })

  const folderIn = (ref: StackRef, release: Release) => releaseDirectory(client.directory, keyOf(ref), release.digest!)

  const runtimeFrom = (ref: StackRef) => Effect.map(decode(ref.properties), runtimeOf)

  return {
    kind,
    capabilities,
    properties: Properties,
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const runtime = runtimeOf(properties)
        yield* requireSecrets(runtime, env)
        const source = yield* sourceOf(ref, candidate, properties, { cwd, env })
        yield* foreseen(() => Foreseen.environment(runtime, env))
        const files = yield* reaching(() => folderOf(source))
        if (files !== undefined) {
          yield* foreseen(() => Foreseen.holdsState(files.root, files.shown, client.directory))
          yield* foreseen(() => Foreseen.command(runtime, files))
        }
        const path = runtime.env["PATH"]
        // The supervisor looks up programs; its PATH comes from the command that started it.
        if (path !== undefined || !client.holdsStacks) {
          yield* foreseen(() => Foreseen.program(runtime, typeof path === "string" ? path : env["PATH"]))
        }
        const view = yield* client.observe(keyOf(ref))
        yield* foreseen(() => Foreseen.port(client.directory, keyOf(ref), runtime.port, view))
        const found = yield* reaching((signal) => digest(source, signal))
        const configDigest = digestOf(runtime)
        const release: Release = {
          id: digestOf([found, configDigest, candidate.version]).slice(0, 24),
          version: candidate.version,
          artifact: source.shown,
          digest: found,
          configDigest
        }
        return describePlan(ref, release, runtime, view, yield* Clock.currentTimeMillis)
      }).pipe(named("plan", ref)),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const release = plan.candidate
        const source = yield* sourceOf(
          ref,
          { version: release.version, ...(release.artifact === undefined ? {} : { artifact: release.artifact }) },
          properties,
          { cwd, env }
        )
        yield* mutation.guard
        const run = Effect.runPromiseWith(yield* Effect.context())
        const report = (message: string) => run(reportProgress(mutation, message))
        const root = folderIn(ref, release)
        yield* reaching((signal) => unpack(source, release.digest!, root, signal, report))
        const runtime = runtimeOf(properties)
        // The content of an archive is known only now.
        yield* foreseen(() => Foreseen.command(runtime, { root, shown: source.shown, open: false }))
        return yield* mutate("stage", ref, mutation, { record: { release, runtime }, capacityPercent }, [
          runtime,
          runtimeIn(plan.checkpoint.data)
        ])
      }).pipe(named("stage", ref)),
    observe: (ref) => Effect.map(client.observe(keyOf(ref)), observed).pipe(named("observe", ref)),
    rollback: (ref, checkpoint, mutation) =>
      Effect.gen(function* () {
        const runtime = runtimeIn(checkpoint.data)
        const record: ReleaseRecord | null =
          checkpoint.release === null || runtime === null ? null : { release: checkpoint.release, runtime }
        const folder = record === null ? undefined : folderIn(ref, record.release)
        if (folder !== undefined && !existsSync(folder)) {
          yield* mutation.guard
          const run = Effect.runPromiseWith(yield* Effect.context())
          const report = (message: string) => run(reportProgress(mutation, message))
          yield* reaching((signal) => Kept.unpackAgain(record!.release, folder, { cwd, env, report, signal }))
        }
        return yield* mutate("rollback", ref, mutation, { checkpoint, record }, [runtime])
      }).pipe(named("rollback", ref)),
    canGoBack: (ref, { data, release }) =>
      Effect.gen(function* (): Effect.fn.Return<WayBack, ProviderReason> {
        const runtime = runtimeIn(data)
        if (release === null || runtime === null) return { how: "switch", why: "nothing was there before" }
        yield* requireSecrets(runtime, env)
        if (existsSync(folderIn(ref, release))) {
          const { health } = observed(yield* client.observe(keyOf(ref)))
          return (health[release.id]?.healthy ?? 0) > 0
            ? { how: "switch", why: `the processes of ${release.version} are still running` }
            : { how: "rebuild", why: `${release.version} is started again from its files` }
        }
        return yield* Effect.matchEffect(
          reaching((signal) => Kept.checkAgain(release, { cwd, env, signal })),
          {
            onFailure: (reason) =>
              reason._tag === "Missing"
                ? Effect.succeed<WayBack>({ how: "impossible", why: reason.message })
                : Effect.fail(reason),
            onSuccess: () =>
              Effect.succeed<WayBack>({ how: "rebuild", why: `the files of ${release.version} are fetched again` })
          }
        )
      }).pipe(named("canGoBack", ref)),
    destroy: (ref, mutation) => Effect.asVoid(mutate("destroy", ref, mutation, {})).pipe(named("destroy", ref)),
    traffic: {
      shift: (ref, body, mutation) => mutate("shift", ref, mutation, body).pipe(named("shift", ref)),
      retire: (ref, body, mutation) => mutate("retire", ref, mutation, body).pipe(named("retire", ref))
    },
    metrics: {
      resolution: Duration.zero,
      lag: Duration.zero,
      measure: (ref, { from, releaseId, to }) =>
        Effect.map(client.measure(keyOf(ref), { releaseId, windowMillis: to - from }), (counted) => ({
          ...counted,
          until: to
        })).pipe(named("measure", ref))
    },
    drift: {
      detect: (ref) =>
        Effect.flatMap(runtimeFrom(ref), (runtime) =>
          client.detect(keyOf(ref), { configDigest: digestOf(runtime) })
        ).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        Effect.andThen(decode(ref.properties), mutate("correct", ref, mutation, { fields })).pipe(named("correct", ref))
    },
    logs: {
      read: (ref, options) =>
        Effect.gen(function* () {
          const runtime = yield* Effect.match(decode(ref.properties), { onFailure: () => null, onSuccess: runtimeOf })
          const secrets = secretsFor([runtime], env)
          const page = yield* client.logs(keyOf(ref), { ...options, secrets })
          const { redact } = redactor({ secrets }, [runtime])
          return { ...page, lines: page.lines.map((line) => ({ ...line, text: redact(line.text) })) }
        }).pipe(named("logs", ref))
    },
    restart: (ref, mutation) =>
      Effect.andThen(decode(ref.properties), mutate("restart", ref, mutation, {})).pipe(named("restart", ref)),
    exclusive: ({ properties }) => {
      const port = (properties as { readonly port?: unknown } | null)?.port
      return typeof port === "number" && port !== 0 ? [{ name: `port ${port}`, path: ["port"] }] : []
    },
    fence: ({ deploymentId, environment }, fence) =>
      Effect.mapError(client.fence({ deploymentId, environment, stack: "" }, fence), failed("fence"))
  }
}

/** A failure that concerns no single stack. */
const failed = (operation: string) => (reason: ProviderReason) =>
  new ProviderError({ provider: kind, operation, stackName: "", reason })

/**
 * Stops the supervisor of a directory and all its processes. Deployed stacks return with the next mutating operation.
 */
export const stop = (directory: string): Effect.Effect<void, ProviderError> =>
  Effect.mapError(new Client(directory, undefined).stop, failed("stop"))

/**
 * Lists what the supervisor of a directory has, whatever any store knows of it. Starts nothing.
 */
export const held = (directory: string): Effect.Effect<Held, ProviderError> =>
  Effect.mapError(new Client(directory, undefined).held, failed("held"))

/**
 * Stops stacks of a directory without the lease of their environment, and forgets the fences of their environments.
 *
 * *When to use*: if the store that knew them is gone, and no execution can take them over.
 */
export const abandon = (
  { directory, supervisor }: Pick<LocalOptions, "directory" | "supervisor">,
  what: Parameters<Client["abandon"]>[0]
): Effect.Effect<void, ProviderError> =>
  Effect.mapError(new Client(directory, supervisor).abandon(what), failed("abandon"))

const keyOf = ({ deploymentId, environment, stack }: StackRef) => ({ deploymentId, environment, stack })
