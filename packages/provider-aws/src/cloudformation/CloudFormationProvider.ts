/**
 * The provider for CloudFormation stacks.
 */
import {
  asProviderError,
  type Capabilities,
  defaultPoll,
  type Mutation,
  noMutation,
  type PollOptions,
  type Provider,
  ProviderError,
  type ProviderReason,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Aws, type AwsOptions, type AwsPlace, targetOf } from "../client/index.ts"
import { Calls } from "./Calls.ts"
import { inputOf } from "./Deployable.ts"
import { EventReader } from "./events/EventReader.ts"
import { Poller } from "./Poller.ts"
import { decode, Properties } from "./Properties.ts"
import { Secrets } from "./Secrets.ts"
import { observation, see } from "./Seen.ts"
import { ServiceEvents } from "./events/ServiceEvents.ts"
import { providerEvent, timeIn } from "./events/StackEvents.ts"
import { readTemplate } from "./template/TemplateAddress.ts"
import { submitted } from "./template/TemplateUpload.ts"
import { tokenOf, tokensOf } from "./Token.ts"
import type { Work } from "./Work.ts"

/** What a stack names as its provider. */
export const kind = "aws:cloudformation"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "none",
  capacity: false,
  fencing: "guarded",
  outputs: ["*"],
  adopts: true
}

/**
 * How the provider works.
 *
 * *Details*: relative templates start in `directory`. Templates that are too long for a call go through `bucket`.
 * `poll` is the time between two polls, in milliseconds. Secrets are looked up in `env` (default: the environment of the process).
 * A service of ECS that is not stable after `serviceEventsAfter` milliseconds (default 2 minutes) shows its events.
 */
export interface CloudFormationOptions extends AwsOptions {
  readonly directory: string
  readonly bucket?: string
  readonly poll?: PollOptions
  readonly env?: NodeJS.ProcessEnv
  readonly serviceEventsAfter?: number
}

/** The name of a stack at AWS. */
export const stackNameOf = ({ deploymentId, environment, stack }: StackRef, { stackName }: Properties): string =>
  stackName ?? [deploymentId, environment, stack].join("-").replaceAll(/[^A-Za-z0-9-]/g, "-")

/**
 * Creates the provider of kind `aws:cloudformation`.
 *
 * *Details*: a release is a template with its parameters and tags. It is recorded in the metadata of the template, so that
 * CloudFormation turns it back together with what it describes. Every operation carries a token of ours, which shows in
 * the events of the stack whose operation it is.
 *
 * *Errors*: `ProviderError`; `Broken` with the first failure if an operation is turned back.
 */
export const make = (options: CloudFormationOptions): Provider => {
  const aws = new Aws(options)
  const { bucket, directory, env = process.env, serviceEventsAfter = 120_000 } = options
  const poller = new Poller(options.poll ?? defaultPoll)

  const asError = asProviderError(kind)

  /** Names the provider and the stack in a failure, and masks secrets in what is told about the stack. */
  const named = (operation: string, ref: StackRef) => {
    const cover = <A>(value: A): A =>
      Option.match(Schema.decodeUnknownOption(Properties)(ref.properties), {
        onNone: () => value,
        onSome: (properties) => new Secrets(properties, env).cover(value)
      })
    return <A, E extends ProviderReason | ProviderError, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.map(cover),
        Effect.mapError((failure) => (failure instanceof ProviderError ? failure : cover<ProviderReason>(failure))),
        asError(operation, ref)
      )
  }

  const workOn = (
    ref: StackRef,
    mutation: Mutation
  ): Effect.Effect<Work & { readonly place: AwsPlace }, ProviderReason> =>
    Effect.map(decode(ref.properties), (properties) => {
      const place = { region: ref.region, assumeRole: properties.assumeRole }
      const secrets = new Secrets(properties, env)
      return {
        place,
        secrets,
        calls: new Calls(aws, place),
        name: stackNameOf(ref, properties),
        properties,
        mutation: { ...mutation, progress: (event) => mutation.progress(secrets.cover(event)) },
        tokens: tokensOf(ref),
        token: tokenOf(ref, mutation.idempotencyKey),
        poller,
        services: new ServiceEvents(aws, place, serviceEventsAfter),
        submit: (deployable, stack) =>
          Effect.flatMap(submitted(aws, place, bucket, deployable.body, mutation), (template) =>
            inputOf(deployable, template, properties, secrets, stack)
          )
      }
    })

  const seen = (work: Work) =>
    Effect.flatMap(see(work.calls, work.name), (seen) => observation(work.calls, seen, work.tokens))

  const mutations = Effect.promise(() => import("./Mutations.ts"))

  const observe: Provider["observe"] = (ref) =>
    Effect.flatMap(workOn(ref, noMutation), seen).pipe(named("observe", ref))

  return {
    kind,
    capabilities,
    properties: Properties,
    observe,
    plan: (ref, candidate, mutation) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, mutation ?? noMutation)
        const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
        const target = yield* targetOf(aws, work.place)
        return yield* plan(work, {
          candidate,
          directory,
          fromS3: (address) => readTemplate(aws, work.place, address),
          preview: mutation === undefined,
          bucket,
          target
        })
      }).pipe(named("plan", ref)),
    stage: (ref, { plan }, mutation) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, mutation)
        const { stage } = yield* mutations
        yield* stage(work, plan)
        return yield* seen(work)
      }).pipe(named("stage", ref)),
    rollback: (ref, checkpoint, mutation) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, mutation)
        const { rollback } = yield* mutations
        yield* rollback(work, checkpoint)
        return yield* seen(work)
      }).pipe(named("rollback", ref)),
    destroy: (ref, mutation) =>
      Effect.gen(function* () {
        const work = yield* workOn(ref, mutation)
        const { destroy } = yield* mutations
        yield* destroy(work)
      }).pipe(named("destroy", ref)),
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const { calls, name, secrets } = yield* workOn(ref, noMutation)
        const { wayBack } = yield* Effect.promise(() => import("./WayBack.ts"))
        return wayBack({ bucket, name, secrets }, yield* see(calls, name), checkpoint)
      }).pipe(named("canGoBack", ref)),
    drift: {
      detect: (ref) =>
        Effect.gen(function* () {
          const { calls, name } = yield* workOn(ref, noMutation)
          const { detect } = yield* Effect.promise(() => import("./StackDrift.ts"))
          return yield* detect(calls, name, poller)
        }).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        Effect.gen(function* () {
          const work = yield* workOn(ref, mutation)
          const { correct } = yield* Effect.promise(() => import("./StackDrift.ts"))
          yield* correct(work, fields)
          return yield* seen(work)
        }).pipe(named("correct", ref))
    },
    alarms: {
      states: (ref, names) =>
        Effect.gen(function* () {
          const { place } = yield* workOn(ref, noMutation)
          const { alarmStates } = yield* Effect.promise(() => import("../cloudwatch/Alarms.ts"))
          return yield* alarmStates(aws, place, names)
        }).pipe(named("states", ref))
    },
    events: {
      since: (ref, cursor, { from }) =>
        Effect.gen(function* () {
          const { calls, name } = yield* workOn(ref, noMutation)
          const stack = yield* calls.existing(name)
          if (stack === null) return { events: [], cursor }
          const since = Math.max(from, timeIn(cursor) ?? 0)
          const events = (yield* new EventReader(calls, stack.StackId!, since).fresh).map(providerEvent)
          const news = events.slice(events.findIndex(({ id }) => id === cursor) + 1)
          return { events: news, cursor: events.at(-1)?.id ?? cursor }
        }).pipe(named("since", ref))
    }
  }
}
