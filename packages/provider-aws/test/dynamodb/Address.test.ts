import { assert, it } from "vitest"
import { parseAddress } from "../../src/dynamodb/Address.ts"

it("reads table, region and endpoint", () => {
  assert.deepEqual(parseAddress("dynamodb://signalbox"), { table: "signalbox" })
  assert.deepEqual(parseAddress("dynamodb://team.shop-1?region=eu-west-1"), {
    table: "team.shop-1",
    region: "eu-west-1"
  })
  assert.deepEqual(parseAddress("dynamodb://shop/?endpoint=http%3A%2F%2F127.0.0.1%3A4566&region=us-gov-west-1"), {
    table: "shop",
    region: "us-gov-west-1",
    endpoint: "http://127.0.0.1:4566"
  })
})

it.each([
  ["dynamodb://", "the name of a table"],
  ["dynamodb:shop", "a path"],
  ["dynamodb://ab", "the name of a table"],
  ["dynamodb://shop/eu-west-1", "a path"],
  ["dynamodb://shop#x", "a fragment"],
  ["dynamodb://key:hunter2@shop", "credentials come from the environment"],
  ["dynamodb://shop?regoin=eu-west-1", `no parameter "regoin"`],
  ["dynamodb://shop?region=Ireland", "Ireland is no region"],
  ["dynamodb://shop?region=eu-west-1&region=eu-west-2", "twice"],
  ["dynamodb://shop?endpoint=localhost:4566", "endpoint"]
])("refuses %s without repeating a password", (url, why) => {
  let failure: { readonly detail: string; readonly reason: string } | undefined
  try {
    parseAddress(url)
  } catch (error) {
    failure = error as typeof failure
  }
  assert(failure !== undefined)
  assert.strictEqual(failure.reason, "Misconfigured")
  assert.include(failure.detail, why)
  assert.notInclude(failure.detail, "hunter2")
})
