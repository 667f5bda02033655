/**
 * The calls of CloudFormation, as effects with classified failures.
 */
import type { Change, CloudFormation, DescribeChangeSetOutput, Stack, StackEvent } from "@aws-sdk/client-cloudformation"
import type { Mutation, ProviderReason } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, awsReason, type Failure } from "../client/index.ts"
import type { CloudFormationCall } from "../iam/calls.ts"
import { timeOf } from "./events/StackEvents.ts"
import { meaningOf } from "./StackStatus.ts"

export type { Failure } from "../client/index.ts"

type Use<A> = (client: CloudFormation, options: { readonly abortSignal: AbortSignal }) => Promise<A>

/** Reads and changes stacks in one place. */
export class Calls {
  readonly #client: () => Promise<CloudFormation>

  constructor(aws: Aws, place: AwsPlace) {
    this.#client = () => aws.cloudFormation(place)
  }

  /** Calls once; the client repeats what is throttled or cut a few times. */
  read<A>(operation: CloudFormationCall, use: Use<A>): Effect.Effect<A, ProviderReason> {
    return Effect.tryPromise({
      try: async (abortSignal) => use(await this.#client(), { abortSignal }),
      catch: (error) => awsReason(error, `cloudformation:${operation}`)
    }).pipe(Effect.withSpan(`CloudFormation.${operation}`))
  }

  /** Runs the guard, and then calls with a deadline before the end of the lease. */
  change<A>(operation: CloudFormationCall, { guard, leaseLeft }: Mutation, use: Use<A>): Effect.Effect<A, Failure> {
    return Effect.gen({ self: this }, function* () {
      const left = yield* leaseLeft
      yield* guard
      return yield* this.read(operation, use).pipe(
        Effect.timeoutOrElse({
          duration: left,
          orElse: () =>
            Effect.fail<ProviderReason>({
              _tag: "Unavailable",
              message: `${operation} took longer than the lease lasts (${Duration.format(left)})`
            })
        })
      )
    })
  }

  /** A stack by its name, or by its id if it may be gone; null if there is none. */
  stack(name: string): Effect.Effect<Stack | null, ProviderReason> {
    return this.read("DescribeStacks", (client, options) => client.describeStacks({ StackName: name }, options)).pipe(
      Effect.map(({ Stacks }) => Stacks?.[0] ?? null),
      orMissing(null)
    )
  }

  /** A stack that is there: neither gone nor only announced by a change set. */
  existing(name: string): Effect.Effect<Stack | null, ProviderReason> {
    return Effect.map(this.stack(name), (stack) =>
      stack === null || meaningOf(stack.StackStatus ?? "").class === "none" ? null : stack
    )
  }

  /** The text of the template of a stack, as it was submitted. */
  template(name: string): Effect.Effect<string, ProviderReason> {
    return this.read("GetTemplate", (client, options) =>
      client.getTemplate({ StackName: name, TemplateStage: "Original" }, options)
    ).pipe(Effect.map(({ TemplateBody }) => TemplateBody ?? ""))
  }

  /** The events of a stack since a time, oldest first, without those after which `known` was seen already. */
  events(
    stackId: string,
    since: number,
    known: (event: StackEvent) => boolean = () => false
  ): Effect.Effect<ReadonlyArray<StackEvent>, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const found: Array<StackEvent> = []
      let NextToken: string | undefined
      do {
        const page = yield* this.read("DescribeStackEvents", (client, options) =>
          client.describeStackEvents({ StackName: stackId, ...(NextToken === undefined ? {} : { NextToken }) }, options)
        )
        for (const event of page.StackEvents ?? []) {
          if (timeOf(event) < since || known(event)) return found.reverse()
          found.push(event)
        }
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      return found.reverse()
    })
  }

  /** The id of the nested stack that an event is about; undefined if it is gone. */
  nested(event: StackEvent): Effect.Effect<string | undefined, ProviderReason> {
    const { LogicalResourceId, PhysicalResourceId, StackId } = event
    if (PhysicalResourceId?.startsWith("arn:") === true) return Effect.succeed(PhysicalResourceId)
    return this.read("DescribeStackResource", (client, options) =>
      client.describeStackResource({ StackName: StackId, LogicalResourceId }, options)
    ).pipe(
      Effect.map(({ StackResourceDetail }) => StackResourceDetail?.PhysicalResourceId),
      orMissing<string | undefined>(undefined)
    )
  }

  /** A change set with all its changes; null if there is none. */
  changeSet(
    stack: string,
    name: string
  ): Effect.Effect<(DescribeChangeSetOutput & { readonly Changes: ReadonlyArray<Change> }) | null, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const Changes: Array<Change> = []
      for (let NextToken: string | undefined; ;) {
        const page = yield* this.read("DescribeChangeSet", (client, options) =>
          client.describeChangeSet(
            { StackName: stack, ChangeSetName: name, ...(NextToken === undefined ? {} : { NextToken }) },
            options
          )
        )
        Changes.push(...(page.Changes ?? []))
        NextToken = page.NextToken
        if (NextToken === undefined) return { ...page, Changes }
      }
    }).pipe(orMissing(null), orNoChangeSet)
  }
}

const orMissing = <B>(otherwise: B) =>
  Effect.catch((reason: ProviderReason) =>
    reason._tag === "Missing" ? Effect.succeed(otherwise) : Effect.fail(reason)
  )

/** A change set that is not there is `ChangeSetNotFound`. */
const orNoChangeSet = Effect.catch((reason: ProviderReason) =>
  reason._tag === "Conflict" ? Effect.succeed(null) : Effect.fail(reason)
)
