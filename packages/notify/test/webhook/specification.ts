/**
 * What CDEvents 0.5.1 requires of the events that the channel sends, in the words of this repository: `scripts/cdevents.ts`
 * validates against the published schemas.
 */
import * as Schema from "effect/Schema"

const NotEmpty = Schema.String.check(Schema.isMinLength(1))
const Uri = Schema.String.check(Schema.makeFilter<string>((text) => URL.canParse(text), { expected: "a URI" }))
const Instant = NotEmpty.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))

const event = <Content extends Schema.Top>(type: string | RegExp, content: Content) =>
  Schema.Struct({
    context: Schema.Struct({
      specversion: Schema.Literal("0.5.1"),
      id: NotEmpty,
      source: NotEmpty,
      type: typeof type === "string" ? Schema.Literal(type) : Schema.String.check(Schema.isPattern(type)),
      timestamp: Instant,
      chainId: Schema.optionalKey(NotEmpty)
    }),
    subject: Schema.Struct({ id: NotEmpty, source: NotEmpty, content }),
    customData: Schema.Record(Schema.String, Schema.Unknown),
    customDataContentType: Schema.Literal("application/json")
  })

const named = { pipelineName: Schema.String, uri: Uri }

/** Any event of the channel; excess keys are mistakes. */
export const CdEvent = Schema.Union([
  event("dev.cdevents.pipelinerun.queued.0.3.0", Schema.Struct(named)),
  event("dev.cdevents.pipelinerun.started.0.3.0", Schema.Struct(named)),
  event(
    "dev.cdevents.pipelinerun.finished.0.3.0",
    Schema.Struct({
      ...named,
      outcome: Schema.Literals(["success", "failure", "cancel", "error"]),
      errors: Schema.optionalKey(Schema.String)
    })
  ),
  event(/^dev\.cdeventsx\.signalbox-[a-zA-Z]+\.[a-zA-Z]+\.\d\.\d\.\d$/, Schema.Struct({ kind: NotEmpty }))
])
