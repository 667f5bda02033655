/**
 * The codecs, against the vendor's own: what a client sends is read as it was meant, and what is answered arrives as it was.
 */
import { AutoScaling, DescribeInstanceRefreshes$, StartInstanceRefresh$ } from "@aws-sdk/client-auto-scaling"
import { CloudWatch, GetMetricData$ } from "@aws-sdk/client-cloudwatch"
import {
  CreateLaunchTemplateVersion$,
  DescribeInstances$,
  DescribeLaunchTemplateVersions$,
  EC2
} from "@aws-sdk/client-ec2"
import { CreateRule$, DescribeRules$, ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { NormalizedSchema } from "@smithy/core/schema"
import * as FastCheck from "fast-check"
import { Readable } from "node:stream"
import { describe, expect, it } from "vitest"
import { fromJson, toJson } from "../../src/testing/wire/Json.ts"
import { type Dialect, fromQuery } from "../../src/testing/wire/Query.ts"
import { inputOf, type OperationSchema, outputOf } from "../../src/testing/wire/Schema.ts"
import { toXml } from "../../src/testing/wire/Xml.ts"

const text = FastCheck.oneof(
  FastCheck.constantFrom("a<b>&amp;\"c'", "ä €", "1", "true", "a b+c=d&e", "]]>", "a.1.b"),
  FastCheck.stringMatching(/^[ -~]{1,12}$/).filter((one) => one.trim() === one && one !== "")
)

/** Any value of a schema, as a client knows it. Members that are not there are left out. */
const valueOf = (schema: NormalizedSchema, depth = 0): FastCheck.Arbitrary<unknown> => {
  if (schema.isListSchema()) {
    return FastCheck.array(valueOf(schema.getValueSchema(), depth + 1), { minLength: 1, maxLength: 3 })
  }
  if (schema.isMapSchema()) {
    const of = valueOf(schema.getValueSchema(), depth + 1)
    return FastCheck.dictionary(FastCheck.stringMatching(/^[a-z]{1,5}$/), of, {
      minKeys: 1,
      maxKeys: 3,
      noNullPrototype: true
    })
  }
  if (schema.isStructSchema()) {
    const [, , , , , , count = 0] = schema.getSchema() as ReadonlyArray<number | undefined>
    const members = [...schema.structIterator()]
    const [needed, others] = [members.slice(0, count), members.slice(count)]
    // A few at a time: all members of all members would be thousands. An empty structure is not sent.
    const maxLength = Math.min(depth > 3 ? 1 : 3, others.length)
    const some = FastCheck.subarray(others, { minLength: Math.min(1, maxLength), maxLength })
    return some.chain((chosen) =>
      FastCheck.record(
        Object.fromEntries([...needed, ...chosen].map(([name, one]) => [name, valueOf(one, depth + 1)])),
        {
          noNullPrototype: true
        }
      )
    )
  }
  if (schema.isBooleanSchema()) return FastCheck.boolean()
  if (schema.isNumericSchema()) return FastCheck.integer()
  if (schema.isTimestampSchema()) {
    return FastCheck.integer({ min: 0, max: 2_000_000_000 }).map((seconds) => new Date(seconds * 1000))
  }
  if (schema.isStringSchema()) return text
  throw new Error(`There are no values of ${schema.getName()}`)
}

interface Request {
  readonly body: string | Uint8Array
}

interface Case {
  readonly name: string
  readonly dialect: Dialect | "json"
  readonly sends: OperationSchema
  readonly gets: OperationSchema
  readonly call: (schema: OperationSchema, input: unknown, answer: (request: Request) => string) => Promise<unknown>
}

/** Calls of a client whose requests are answered here. */
const calling = (Service: new (config: object) => object): Case["call"] => {
  let answer: (request: Request) => string
  const handle = (request: Request) =>
    Promise.resolve({ response: { statusCode: 200, headers: {}, body: Readable.from([answer(request)]) } })
  const client = new Service({
    region: "eu-central-1",
    credentials: { accessKeyId: "deployer", secretAccessKey: "simulated" },
    requestHandler: { handle },
    maxAttempts: 1
  }) as Record<string, (input: unknown) => Promise<unknown>>
  return (schema, input, answers) => {
    answer = answers
    return client[schema[2][0]!.toLowerCase() + schema[2].slice(1)]!(input)
  }
}

const schema = (operation: unknown) => operation as OperationSchema

const cases: ReadonlyArray<Case> = [
  {
    name: "Elastic Load Balancing",
    dialect: "query",
    sends: schema(CreateRule$),
    gets: schema(DescribeRules$),
    call: calling(ElasticLoadBalancingV2 as never)
  },
  {
    name: "Auto Scaling",
    dialect: "query",
    sends: schema(StartInstanceRefresh$),
    gets: schema(DescribeInstanceRefreshes$),
    call: calling(AutoScaling as never)
  },
  {
    name: "EC2",
    dialect: "ec2",
    sends: schema(CreateLaunchTemplateVersion$),
    gets: schema(DescribeLaunchTemplateVersions$),
    call: calling(EC2 as never)
  },
  {
    name: "EC2, with names of its own",
    dialect: "ec2",
    sends: schema(DescribeInstances$),
    gets: schema(DescribeInstances$),
    call: calling(EC2 as never)
  },
  {
    name: "CloudWatch",
    dialect: "json",
    sends: schema(GetMetricData$),
    gets: schema(GetMetricData$),
    call: calling(CloudWatch as never)
  }
]

/** An answer that any client reads. */
const nothing = (dialect: Case["dialect"]) => (dialect === "json" ? "{}" : "<Response/>")

describe.each(cases)("the codec of $name", ({ call, dialect, gets, sends }) => {
  it("reads what the client sends", async () => {
    const input = inputOf(sends)
    const property = FastCheck.asyncProperty(valueOf(input), async (value) => {
      let sent = ""
      await call(sends, value, ({ body }) => {
        sent = typeof body === "string" ? body : new TextDecoder().decode(body)
        return nothing(dialect)
      })
      const read =
        dialect === "json" ? fromJson(input, JSON.parse(sent)) : fromQuery(dialect, input, new URLSearchParams(sent))
      // The client makes one up where it was not given.
      expect({ ...(read as object), ClientToken: undefined }).toEqual({ ...(value as object), ClientToken: undefined })
    })
    await FastCheck.assert(property, { numRuns: 40 })
  })

  it("answers what the client reads", async () => {
    const output = outputOf(gets)
    const property = FastCheck.asyncProperty(valueOf(output), async (value) => {
      const answer =
        dialect === "json"
          ? JSON.stringify(toJson(output, value))
          : toXml(gets[2], output, value, { dialect, namespace: "urn:test", requestId: "one" })
      const { $metadata: _, ...read } = (await call(gets, required(gets), () => answer)) as { $metadata: unknown }
      expect(read).toEqual(value)
    })
    await FastCheck.assert(property, { numRuns: 40 })
  })
})

/** An input that has what has to be there. */
const required = (operation: OperationSchema): unknown => {
  const [first] = FastCheck.sample(valueOf(inputOf(operation)), { numRuns: 1, seed: 1 })
  return first
}
