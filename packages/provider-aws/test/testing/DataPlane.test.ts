/**
 * What happens to requests, as rules, weights and targets change.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { assert, describe, expect, it, vi } from "vitest"
import { startAwsSimulator } from "../../src/testing/index.ts"
import { world } from "./world.ts"

describe("the data plane", { concurrent: true }, () => {
  it("divides requests by weight, within one point of 2,000 requests", async () => {
    await using aws = await world()
    await aws.launch(aws.service.green, "s3://shop/v2", 2)
    await aws.weigh(1, 0)
    await aws.simulator.advance(20_000)
    for (const [blue, green] of [
      [95, 5],
      [299, 700]
    ] as const) {
      await aws.weigh(blue, green)
      await aws.simulator.advance(3000)
      const { v1 = 0, v2 = 0 } = await aws.ask(2000)
      assert.strictEqual(v1 + v2, 2000)
      expect(Math.abs(v2 / 2000 - green / (blue + green))).toBeLessThanOrEqual(0.01)
    }
  })

  it("divides by new weights at once, whatever was divided before", async () => {
    await using aws = await world()
    await aws.launch(aws.service.green, "s3://shop/v2", 1)
    await aws.weigh(500, 499)
    await aws.simulator.advance(20_000)
    assert.deepStrictEqual(await aws.ask(2), { v1: 2 })
    await aws.weigh(1, 1)
    await aws.simulator.advance(3000)
    assert.deepStrictEqual(await aws.ask(40), { v1: 20, v2: 20 })
  })

  it("learns of weights late, and one node after the other", async () => {
    await using aws = await world()
    await aws.launch(aws.service.green, "s3://shop/v2", 1)
    await aws.weigh(1, 0)
    await aws.simulator.advance(20_000)
    aws.simulator.faults.weights(5000, 30_000)
    await aws.weigh(0, 1)
    assert.deepStrictEqual(await aws.ask(100), { v1: 100 })
    await aws.simulator.advance(5000)
    assert.deepStrictEqual(await aws.ask(100), { v1: 50, v2: 50 })
    await aws.simulator.advance(25_000)
    assert.deepStrictEqual(await aws.ask(100), { v2: 100 })
  })

  it("answers 503 for an empty group, and counts what was sent to targets taken away", async () => {
    await using aws = await world()
    await aws.weigh(0, 1)
    await aws.simulator.advance(3000)
    assert.deepStrictEqual(await aws.ask(10), { "503": 10 })
    // There never was a target.
    assert.strictEqual(aws.simulator.ledger.toTargetsTakenAway, 0)
    await aws.weigh(1, 0)
    await aws.simulator.advance(3000)
    await aws.scaling.setDesiredCapacity({ AutoScalingGroupName: aws.service.blue.group, DesiredCapacity: 0 })
    await aws.simulator.advance(2000)
    expect(await aws.states(aws.service.blue.targetGroup)).toEqual(
      Array(2).fill("draining Target.DeregistrationInProgress")
    )
    assert.deepStrictEqual(await aws.ask(10), { "503": 10 })
    assert.strictEqual(aws.simulator.ledger.toTargetsTakenAway, 10)
    await aws.simulator.advance(60_000)
    expect(await aws.states(aws.service.blue.targetGroup)).toEqual([])
    assert.deepStrictEqual(aws.simulator.instances(aws.service.blue.group), [])
  })

  it("ends a drained target when its last request is answered, however fast the time", async () => {
    const open: Array<() => void> = []
    const answer = (incoming: IncomingMessage, response: ServerResponse) => {
      if (incoming.url === "/slow") open.push(() => response.end("at last"))
      else response.end("v1")
    }
    await using aws = await world({ apps: { "s3://shop/v1": { answer } } }, { instances: 1 })
    const { blue } = aws.service
    const slow = aws.ask(1, {}, "/slow")
    await vi.waitUntil(() => open.length === 1, 60_000)
    await aws.scaling.setDesiredCapacity({ AutoScalingGroupName: blue.group, DesiredCapacity: 0 })
    await aws.simulator.advance(2000)
    const drained = aws.simulator.advance(60_000)
    expect(await Promise.race([slow, aws.ask(5)])).toEqual({ "503": 5 })
    open[0]!()
    assert.deepStrictEqual(await slow, { "at last": 1 })
    await drained
    assert.deepStrictEqual(aws.simulator.instances(blue.group), [])
  })

  it("loses no request while weights move, targets drain and instances end", async () => {
    await using aws = await world()
    const { blue, green } = aws.service
    await aws.launch(green, "s3://shop/v2", 2)
    await aws.weigh(1, 0)
    await aws.simulator.advance(20_000)
    let over = false
    const visitor = async () => {
      const total: Record<string, number> = {}
      while (!over) {
        for (const [key, count] of Object.entries(await aws.ask(20))) total[key] = (total[key] ?? 0) + count
      }
      return total
    }
    const visited = visitor()
    for (const percent of [10, 50, 100]) {
      await aws.weigh(100 - percent, percent)
      await aws.simulator.advance(5000)
    }
    await aws.scaling.setDesiredCapacity({ AutoScalingGroupName: blue.group, DesiredCapacity: 0 })
    await aws.simulator.advance(60_000)
    over = true
    expect(Object.keys(await visited).sort()).toEqual(["v1", "v2"])
    assert.deepStrictEqual(aws.simulator.instances(blue.group), [])
    assert.strictEqual(aws.simulator.ledger.toTargetsTakenAway, 0)
  })

  it("shows that targets were taken away before every node had learned of the weights", async () => {
    await using aws = await world()
    const { blue, green } = aws.service
    await aws.launch(green, "s3://shop/v2", 2)
    await aws.weigh(1, 1)
    await aws.simulator.advance(20_000)
    aws.simulator.faults.weights(0, 30_000)
    await aws.weigh(0, 1)
    await aws.scaling.setDesiredCapacity({ AutoScalingGroupName: blue.group, DesiredCapacity: 0 })
    await aws.simulator.advance(5000)
    assert.deepStrictEqual(await aws.ask(40), { v2: 30, "503": 10 })
    assert.strictEqual(aws.simulator.ledger.toTargetsTakenAway, 10)
    await aws.simulator.advance(25_000)
    assert.deepStrictEqual(await aws.ask(40), { v2: 40 })
  })

  it("answers 503 if no group has a weight", async () => {
    await using aws = await world()
    await aws.weigh(0, 0)
    await aws.simulator.advance(3000)
    assert.deepStrictEqual(await aws.ask(4), { "503": 4 })
  })

  it("sends requests to unhealthy targets if there are no others, and 502 where no process listens", async () => {
    await using aws = await world()
    const [first, second] = aws.simulator.instances()
    await aws.simulator.faults.kill(first!.id)
    assert.deepStrictEqual(await aws.ask(10), { v1: 5, "502": 5 })
    await aws.simulator.advance(25_000)
    expect((await aws.states(aws.service.blue.targetGroup)).sort()).toEqual([
      "healthy",
      "unhealthy Target.FailedHealthChecks"
    ])
    assert.deepStrictEqual(await aws.ask(10), { v1: 10 })
    aws.simulator.faults.noCapacity(aws.service.blue.group)
    await aws.simulator.faults.kill(second!.id)
    await aws.simulator.advance(25_000)
    assert.deepStrictEqual(await aws.ask(10), { "502": 10 })
  })

  it("keeps a client at a group by its cookie, even when the group has no weight any more", async () => {
    await using aws = await world()
    await aws.launch(aws.service.green, "s3://shop/v2", 1)
    const sticky = (blue: number, green: number) => {
      const action = aws.forward(blue, green)
      const TargetGroupStickinessConfig = { Enabled: true, DurationSeconds: 60 }
      return aws.elb.modifyListener({
        ListenerArn: aws.service.listener,
        DefaultActions: [{ ...action, ForwardConfig: { ...action.ForwardConfig, TargetGroupStickinessConfig } }]
      })
    }
    await sticky(1, 0)
    await aws.simulator.advance(20_000)
    const [set] = (await fetch(aws.url)).headers.getSetCookie()
    const cookie = set!.split(";")[0]!
    expect(cookie).toMatch(/^AWSALBTG=/)
    await sticky(0, 1)
    await aws.simulator.advance(3000)
    assert.deepStrictEqual(await aws.ask(10), { v2: 10 })
    assert.deepStrictEqual(await aws.ask(10, { cookie }), { v1: 10 })
    await aws.scaling.setDesiredCapacity({ AutoScalingGroupName: aws.service.blue.group, DesiredCapacity: 0 })
    await aws.simulator.advance(5000)
    assert.deepStrictEqual(await aws.ask(10, { cookie }), { "503": 10 })
    await aws.simulator.advance(60_000)
    assert.deepStrictEqual(await aws.ask(10, { cookie }), { v2: 10 })
  })

  it("keeps a client at a target, if the group says so", async () => {
    await using aws = await world()
    await aws.elb.modifyTargetGroupAttributes({
      TargetGroupArn: aws.service.blue.targetGroup,
      Attributes: [{ Key: "stickiness.enabled", Value: "true" }]
    })
    const cookie = (await fetch(aws.url)).headers.getSetCookie()[0]!.split(";")[0]!
    await aws.simulator.faults.kill(aws.simulator.instances()[0]!.id)
    assert.strictEqual(Object.keys(await aws.ask(10)).length, 2)
    assert.strictEqual(Object.keys(await aws.ask(10, { cookie })).length, 1)
  })

  it("authenticates, redirects and answers by itself, in the order of actions and rules", async () => {
    await using aws = await world({}, { secure: true })
    const AuthenticateOidcConfig = {
      Issuer: "https://id.example.com",
      AuthorizationEndpoint: "https://id.example.com/authorize",
      TokenEndpoint: "https://id.example.com/token",
      UserInfoEndpoint: "https://id.example.com/user",
      ClientId: "shop",
      ClientSecret: "secret"
    }
    const ListenerArn = aws.service.listener
    const login = { Type: "authenticate-oidc" as const, Order: 1, AuthenticateOidcConfig }
    await aws.elb.modifyListener({ ListenerArn, DefaultActions: [login, { ...aws.forward(1, 0), Order: 2 }] })
    const rule = (Priority: number, path: string, action: object) =>
      aws.elb.createRule({
        ListenerArn,
        Priority,
        Conditions: [{ Field: "path-pattern", Values: [path] }],
        Actions: [action as never]
      })
    await rule(20, "/old/*", { Type: "redirect", RedirectConfig: { Path: "/new", StatusCode: "HTTP_301" } })
    await rule(10, "/status", {
      Type: "fixed-response",
      FixedResponseConfig: { StatusCode: "418", MessageBody: "tea" }
    })
    await aws.simulator.advance(3000)
    const at = (path: string, headers = {}) => fetch(aws.url + path, { redirect: "manual", headers })
    const asked = await at("/")
    assert.deepStrictEqual(
      [asked.status, asked.headers.get("location")],
      [302, AuthenticateOidcConfig.AuthorizationEndpoint]
    )
    assert.strictEqual((await at("/", { cookie: "AWSELBAuthSessionCookie-0=x" })).status, 200)
    const moved = await at("/old/a?b=c")
    assert.deepStrictEqual([moved.status, new URL(moved.headers.get("location")!).pathname], [301, "/new"])
    const own = await at("/status")
    assert.deepStrictEqual([own.status, await own.text()], [418, "tea"])
    // The secret is not read back, and it is kept only if that is asked for.
    const read = (await aws.elb.describeListeners({ ListenerArns: [ListenerArn] })).Listeners![0]!.DefaultActions!
    assert.strictEqual(read[0]!.AuthenticateOidcConfig!.ClientSecret, undefined)
    const without = aws.elb.modifyListener({ ListenerArn, DefaultActions: read })
    await expect(without).rejects.toThrow("A client secret must be specified")
    const config = { ...read[0]!.AuthenticateOidcConfig!, UseExistingClientSecret: true }
    await aws.elb.modifyListener({
      ListenerArn,
      DefaultActions: [{ ...read[0]!, AuthenticateOidcConfig: config }, read[1]!]
    })
  })

  it("answers 504 for a target that stays silent, and forgets clients that have gone", async () => {
    const waiting: Array<() => void> = []
    const answer = (incoming: IncomingMessage, response: ServerResponse) => {
      if (incoming.url === "/silent") waiting.push(() => response.end("late"))
      else response.end("v1")
    }
    await using aws = await world({ idleMillis: 3000, apps: { "s3://shop/v1": { answer } } })
    assert.deepStrictEqual(await aws.ask(1, {}, "/silent"), { "504": 1 })
    const gone = new AbortController()
    const left = fetch(`${aws.url}/silent`, { signal: gone.signal })
    await vi.waitUntil(() => waiting.length === 2, 60_000)
    gone.abort()
    await expect(left).rejects.toThrow("aborted")
    assert.deepStrictEqual(await aws.ask(10), { v1: 10 })
    expect(aws.simulator.ledger.requests.get(aws.service.blue.targetGroup)).toMatchObject({
      answered: 10,
      unanswered: 1
    })
  })

  it("ends requests that a process was killed under, and reaches it before", async () => {
    const script = `require("node:http").createServer((request, response) => {
      if (request.url === "/slow") response.write("begun")
      else response.end("process")
    }).listen(Number(process.env.PORT), "127.0.0.1")`
    const simulator = await startAwsSimulator({
      scale: 0,
      apps: { "s3://shop/v1": { command: [process.execPath, "-e", script] } }
    })
    try {
      const service = await simulator.seed({ instances: 1 })
      const url = simulator.listenerUrl(service.listener)
      assert.strictEqual(await (await fetch(url)).text(), "process")
      const slow = await fetch(`${url}/slow`)
      await simulator.faults.kill(simulator.instances()[0]!.id)
      await expect(slow.text()).rejects.toThrow("terminated")
      assert.strictEqual((await fetch(url)).status, 502)
    } finally {
      await simulator.close()
    }
  })
})
