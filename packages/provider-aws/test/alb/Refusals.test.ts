/**
 * What is refused before anything is changed: by the plan, which only reads, or by a look at the properties, without any call.
 */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { reasonOf, stepsOn } from "./driver.ts"
import { type Platform, platform, propertiesOf, providerOf, refOf, sourceOf } from "./platform.ts"
import { id, world, yamlOf } from "./world.ts"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"

/** Plans v2 on a service that was prepared, and returns why it is refused. */
const refusal = async (
  prepare: (it: Platform) => Promise<unknown>,
  properties: (it: Platform) => { readonly [key: string]: unknown } = () => ({})
) => {
  const it = await platform()
  try {
    await prepare(it)
    const reason = await reasonOf(stepsOn(it, { properties: properties(it) }).plan("v2"))
    assert.deepStrictEqual(it.simulator.ledger.writes, [])
    return reason as typeof reason & { readonly path?: ReadonlyArray<string> }
  } finally {
    await it.simulator.close()
  }
}

const nothing = async () => {}

const forward = (weights: Readonly<Record<string, number>>, more: object = {}) => ({
  Type: "forward",
  ForwardConfig: {
    TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })),
    ...more
  }
})

const edit =
  (...DefaultActions: ReadonlyArray<object>) =>
  ({ service, simulator }: Platform) =>
    simulator.edit("ModifyListener", { ListenerArn: service.listener, DefaultActions })

describe("a plan that only reads", { concurrent: true }, () => {
  it("refuses a group that launches $Latest", async () => {
    const reason = await refusal(({ service, simulator }) =>
      simulator.edit("UpdateAutoScalingGroup", {
        AutoScalingGroupName: service.blue.group,
        LaunchTemplate: { LaunchTemplateId: service.blue.launchTemplate, Version: "$Latest" }
      })
    )
    assert.deepStrictEqual([reason._tag, reason.path], ["Invalid", ["blue", "autoScalingGroup"]])
    assert.include(reason.message, "$Latest")
  })

  it("refuses sessions that stick to a target group, unless they are waited for", async () => {
    const sticky = (it: Platform) =>
      edit(
        forward(
          { [it.service.blue.targetGroup]: 1, [it.service.green.targetGroup]: 0 },
          { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 600 } }
        )
      )(it)
    const reason = await refusal(sticky)
    assert.deepStrictEqual([reason._tag, reason.path], ["Invalid", ["stickiness"]])
    const it = await platform()
    await sticky(it)
    const { plan } = stepsOn(it, { properties: { stickiness: "wait" } })
    assert.strictEqual((await plan("v2")).action, "update")
    await it.simulator.close()
  })

  it("refuses a listener that is tagged by another deployment", async () => {
    const reason = await refusal(({ service, simulator }) =>
      simulator.edit("AddTags", {
        ResourceArns: [service.listener],
        Tags: [{ Key: "signalbox:stack", Value: "DX0000A/production/web" }]
      })
    )
    assert.deepStrictEqual([reason._tag, reason.path], ["Invalid", ["listener"]])
    assert.include(reason.message, "DX0000A/production/web")
  })

  it("refuses a capacity under the minimum of the group", async () => {
    const reason = await refusal(
      ({ service, simulator }) =>
        simulator.edit("UpdateAutoScalingGroup", { AutoScalingGroupName: service.blue.group, MinSize: 2 }),
      () => ({ capacity: 1 })
    )
    assert.deepStrictEqual([reason._tag, reason.path], ["Invalid", ["capacity"]])
    assert.include(reason.message, "under the minimum (2)")
  })

  it("refuses another account", async () => {
    const other = "999900001111"
    const reason = await refusal(nothing, ({ service, simulator }) => ({
      listener: service.listener.replace(simulator.account, other)
    }))
    assert.strictEqual(reason._tag, "Denied")
    assert.include(reason.message, other)
  })

  it("misses a listener that is not there", async () => {
    const reason = await refusal(nothing, ({ service }) => ({ listener: `${service.listener}0` }))
    assert.strictEqual(reason._tag, "Missing")
  })

  it("refuses a listener without a forward action, and one that also forwards elsewhere", async () => {
    const fixed = { Type: "fixed-response", FixedResponseConfig: { StatusCode: "200" } }
    assert.include((await refusal(edit(fixed))).message, "no forward action")
    const reason = await refusal(async (it) => {
      const made = (await it.simulator.edit("CreateTargetGroup", {
        Name: "other",
        Protocol: "HTTP",
        Port: 80,
        VpcId: "vpc-0a1b2c3d"
      })) as { readonly TargetGroups: ReadonlyArray<{ readonly TargetGroupArn: string }> }
      await edit(forward({ [it.service.blue.targetGroup]: 1, [made.TargetGroups[0]!.TargetGroupArn]: 1 }))(it)
    })
    assert.include(reason.message, "also forwards to")
  })

  it("refuses user data without a place for the archive, and a version that is not there", async () => {
    const reason = await refusal(nothing, ({ service }) => ({
      launchTemplate: { id: service.blue.launchTemplate, version: 1 }
    }))
    assert.deepStrictEqual([reason._tag, reason.path], ["Invalid", ["launchTemplate"]])
    const absent = await refusal(nothing, ({ template }) => ({ launchTemplate: { id: template, version: 7 } }))
    assert.include(absent.message, "there is no version 7")
  })

  it("refuses what is no artifact", async () => {
    const it = await platform()
    const plan = providerOf(it).plan(refOf(it), { version: "v2", artifact: "./api.zip" })
    const reason = await reasonOf(Effect.runPromise(Effect.flip(plan)).then((error) => Promise.reject(error)))
    assert.strictEqual(reason._tag, "Invalid")
    assert.deepStrictEqual(it.simulator.ledger.writes, [])
    await it.simulator.close()
  })
})

describe("steps", { concurrent: true }, () => {
  it("take an image for an artifact, and a share by tenths of a percent", async () => {
    const it = await platform()
    it.simulator.push("ami-0123456789abcdef0", { body: "image" })
    const { plan, provider, ref, stage } = { ...stepsOn(it), ref: refOf(it) }
    const planned = await Effect.runPromise(provider.plan(ref, { version: "v9", artifact: "ami-0123456789abcdef0" }))
    const seen = await stage(planned)
    assert.strictEqual(seen.candidate?.artifact, "ami-0123456789abcdef0")
    const shift = (percent: number) =>
      provider.traffic!.shift(ref, { releaseId: planned.candidate.id, percent }, testMutation(`shift-${percent}`))
    const { traffic } = await Effect.runPromise(shift(0.5))
    assert.deepInclude(traffic, { releaseId: planned.candidate.id, percent: 0.5 })
    const reason = await reasonOf(Effect.runPromise(Effect.flip(shift(0.25))).then((error) => Promise.reject(error)))
    assert.strictEqual(reason._tag, "Unsupported")
    assert.strictEqual((await plan("v2")).action, "update")
    await it.simulator.close()
  })
})

describe("bad input", () => {
  let it_: Platform
  beforeAll(async () => {
    it_ = await platform()
  })
  afterAll(() => it_.simulator.close())

  const yaml = (change: object, more: object = {}) =>
    yamlOf(it_, { ...more, properties: { ...propertiesOf(it_), artifact: sourceOf("v2"), ...change } })
  const cases: ReadonlyArray<readonly [string, () => string, RegExp]> = [
    ["an unknown property", () => yaml({ capcity: 2 }), /capcity[^]*capacity/],
    ["a malformed ARN", () => yaml({ listener: "arn:aws:listener/shop" }), /the ARN of a listener/],
    ["$Latest", () => yaml({ launchTemplate: { id: it_.template, version: "$Latest" } }), /launchTemplate[^]*version/],
    [
      "a listener and a rule at once",
      () => yaml({ rule: `${it_.service.listener.replace(":listener/", ":listener-rule/")}/1` }),
      /either a listener or a rule/
    ],
    [
      "steps of traffic for aws:asg",
      () =>
        yamlOf(it_, {
          provider: "aws:asg",
          properties: {
            autoScalingGroup: it_.service.blue.group,
            launchTemplate: { id: it_.template, version: 1 },
            artifact: sourceOf("v2")
          }
        }),
      /all_at_once/
    ]
  ]
  for (const [what, text, message] of cases) {
    it(`ends with 64 and no call: ${what}`, async ({ onTestFinished }) => {
      const here = await world(onTestFinished, it_, { scaled: false })
      here.configure(text())
      const ran = await here.run("deploy", id, "--version", "v2")
      assert.strictEqual(ran.code, 64, ran.stdout + ran.stderr)
      assert.match(ran.stdout + ran.stderr, message)
      assert.deepStrictEqual(
        it_.simulator.ledger.calls.filter(({ caller }) => caller === "deployer"),
        []
      )
    })
  }

  for (const [code, what, change] of [
    [1, "a listener of another account", () => ({ listener: it_.service.listener.replace(/\d{12}/, "999900001111") })],
    [4, "a listener that is not there", () => ({ listener: `${it_.service.listener}0` })]
  ] as const) {
    it(`ends with ${code} after reads only: ${what}`, async ({ onTestFinished }) => {
      const here = await world(onTestFinished, it_, { scaled: false })
      here.configure(yaml(change()))
      await here.ends(0, "init", "--id", id)
      const ran = await here.run("deploy", id, "--version", "v2")
      assert.strictEqual(ran.code, code, ran.stdout + ran.stderr)
      assert.deepStrictEqual(it_.simulator.ledger.writes, [])
    })
  }
})
