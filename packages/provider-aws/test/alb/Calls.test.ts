import { assert, describe, it } from "vitest"
import { parseArn } from "../../src/client/arns.ts"
import { completeUntil } from "../../src/cloudwatch/TargetMetrics.ts"
import { minute } from "../../src/cloudwatch/Requests.ts"
import { autoScalingCalls, cloudWatchCalls, ec2Calls, loadBalancingCalls } from "../../src/iam/calls.ts"
import { policyFor } from "../../src/iam/policy.ts"
import { readState, showState } from "../../src/alb/State.ts"
import { stepsOn } from "./driver.ts"
import { platform } from "./platform.ts"

/** As docs/aws-alb.md has them. */
const documented = { plan: 12, stage: 45, shift: 20, retire: 40, rollback: 60 }

const service: Readonly<Record<string, string>> = {
  elasticloadbalancing: "elasticloadbalancing",
  autoscaling: "autoscaling",
  ec2: "ec2",
  monitoring: "cloudwatch",
  sts: "sts"
}

describe("the calls of a deployment", () => {
  it("are as many as documented at most, and no others than the policy allows", async () => {
    const { simulator, ...rest } = await platform()
    const steps = stepsOn({ simulator, ...rest }, { properties: { verifyTraffic: "metrics" } })
    const made: Record<string, number> = {}
    const count = async <A>(step: keyof typeof documented, work: () => Promise<A>): Promise<A> => {
      const before = simulator.ledger.calls.length
      const done = await work()
      made[step] = simulator.ledger.calls.length - before
      return done
    }
    const plan = await count("plan", () => steps.plan("v2"))
    await count("stage", () => steps.stage(plan))
    await count("shift", () => steps.shift(plan, 25))
    await count("rollback", () => steps.rollback(plan))
    await steps.stage(plan)
    await steps.shift(plan, 100)
    await count("retire", () => steps.retire(plan))
    for (const [step, most] of Object.entries(documented)) assert.isAtMost(made[step]!, most, JSON.stringify(made))
    const allowed = new Set(policyFor({ purpose: "deploy", kind: "alb" }).Statement.flatMap(({ Action }) => Action))
    const own = simulator.ledger.calls.filter(({ caller }) => caller === "deployer")
    const called = own.map((call) => `${service[call.service]}:${call.operation}`)
    for (const call of called) if (!call.startsWith("sts:")) assert.isTrue(allowed.has(call), call)
    const planning = new Set(policyFor({ purpose: "plan", kind: "alb" }).Statement.flatMap(({ Action }) => Action))
    assert.isFalse(planning.has("elasticloadbalancing:ModifyListener"))
    await simulator.close()
  })

  it("of aws:asg leave the listeners alone", () => {
    const actions = policyFor({ purpose: "deploy", kind: "asg" }).Statement.flatMap(({ Action }) => Action)
    assert.notInclude(actions, "elasticloadbalancing:ModifyListener")
    assert.include(actions, "autoscaling:RollbackInstanceRefresh")
    const known = [autoScalingCalls, cloudWatchCalls, ec2Calls, loadBalancingCalls].flatMap((calls) =>
      Object.keys(calls)
    )
    for (const action of actions) {
      if (action !== "ec2:RunInstances") assert.include(known, action.replace(/.*:/, ""))
    }
  })
})

describe("what is recorded in a tag", () => {
  it("reads back, within what tags can hold", () => {
    const state = {
      stable: "green",
      from: { blue: 100, green: 0 },
      to: { blue: 995, green: 5 },
      step: "0123456789ab",
      since: 1_796_000_000,
      capacity: 1000,
      minimum: 1000
    } as const
    const text = showState(state)
    assert.deepStrictEqual(readState(text), state)
    assert.isAtMost(text.length, 256)
    assert.match(text, /^[\w .:/=+@-]*$/)
    for (const other of [undefined, "", `${text} more=1`, text.replace("green", "red")]) {
      assert.isNull(readState(other))
    }
  })
})

describe("minutes of CloudWatch", () => {
  const all = (...starts: ReadonlyArray<number>) => new Map(starts.map((start) => [start * minute, 10]))
  const window = { from: 0, to: 5 * minute }

  it("are complete up to the first that may still come", () => {
    assert.strictEqual(completeUntil(all(0, 1, 2, 3, 4), window, 7 * minute), 5 * minute)
    assert.strictEqual(completeUntil(all(0, 1, 3, 4), window, 7 * minute), 2 * minute)
    assert.strictEqual(
      completeUntil(all(0, 1, 3, 4), window, 8 * minute),
      5 * minute,
      "it is taken for one without requests"
    )
    assert.strictEqual(completeUntil(all(), window, 60 * minute), 0)
  })
})

describe("an ARN", () => {
  it("is taken apart", () => {
    const { account, partition, region, resource } = parseArn(
      "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:targetgroup/api/0123"
    )
    assert.deepStrictEqual(
      [partition, region, account, resource],
      ["aws-cn", "cn-north-1", "123456789012", "targetgroup/api/0123"]
    )
  })
})
