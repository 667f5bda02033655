/**
 * Secrets as values of parameters: they reach the stack, and nothing that is written, printed or sent.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, expect, it } from "vitest"
import { endpoint } from "../emulator.ts"
import { neverSignalled, templateOf } from "./platform.ts"
import { configuration, id, project } from "./project.ts"

const numbers = Array.from({ length: 10 }, (_, index) => index)
const planted = numbers.map((index) => `hunter${index}-8e0d6c4${index}`)

const properties = [
  "      parameters:",
  ...numbers.map((index) => `        Secret${index}: { $secret: PLANTED_${index} }`)
].join("\n")

/** It shows its secrets where a careless template does: in a resource and in an output. */
const template = (version: string, resources: object = {}) => {
  const all = { "Fn::Join": ["+", numbers.map((index) => ({ Ref: `Secret${index}` }))] }
  const base = templateOf(version, resources)
  Object.assign(base.Resources.Version.Properties, { Value: all, Description: version })
  return {
    ...base,
    Parameters: Object.fromEntries(numbers.map((index) => [`Secret${index}`, { Type: "String", NoEcho: true }])),
    Outputs: { Url: { Value: all }, Version: { Value: version } }
  }
}

const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? files(path) : entry.isFile() ? [path] : []
  })

describe.skipIf(endpoint === undefined)("secrets in parameters", { concurrent: true }, () => {
  it("reach the stack, and no plan, event, error, file or output", async () => {
    const env = Object.fromEntries(planted.map((value, index) => [`PLANTED_${index}`, value]))
    const one = project(configuration(properties), env)
    const { aws } = one
    const printed: Array<string> = []
    const ends = async (code: number, ...args: ReadonlyArray<string>) => {
      printed.push(await one.ends(code, ...args))
    }
    aws.write("api.json", template("v1"))
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1", "--dry-run", "--json")
    await ends(0, "deploy", "--version", "v1", "--correlation-id", "first")
    assert.strictEqual(await aws.version(), planted.join("+"))
    aws.write("api.json", template("v2", neverSignalled))
    await ends(3, "deploy", "--version", "v2", "--correlation-id", "second")
    aws.write("api.json", template("v3"))
    await ends(0, "deploy", "--version", "v3", "--correlation-id", "third")
    await ends(0, "rollback", id, "--correlation-id", "fourth")
    assert.strictEqual(await aws.version(), planted.join("+"))
    for (const execution of ["first", "second", "third", "fourth"]) {
      await ends(0, "events", execution, "--json")
      await ends(0, "trace", execution)
    }
    for (const command of ["status", "history", "health"]) await ends(0, command, id, "--json")
    const searched = files(join(aws.directory, ".signalbox"))
    assert.isAbove(searched.length, 0)
    const written = searched.map((file) => readFileSync(file, "latin1")).join("\n") + printed.join("\n")
    assert.deepStrictEqual(
      planted.filter((value) => written.includes(value)),
      []
    )
    await one.ends(0, "destroy", id, "--yes")
    aws.close()
  })

  it("are refused where they are not set, or CloudFormation would show them", async () => {
    const one = project(configuration(`      parameters: { Secret0: { $secret: PLANTED_0 } }`))
    const { aws } = one
    const only = (NoEcho: boolean) => ({ ...templateOf("v1"), Parameters: { Secret0: { Type: "String", NoEcho } } })
    aws.write("api.json", only(true))
    await one.ends(0, "init", "--id", id)
    expect(await one.ends(64, "deploy", "--version", "v1")).toContain("PLANTED_0 is not set")
    aws.write("api.json", only(false))
    const { code, stderr } = await one.run(["deploy", "--version", "v1"], { PLANTED_0: planted[0]! })
    assert.strictEqual(code, 64)
    expect(stderr).toContain("Declare Secret0 with NoEcho: true.")
    assert.isUndefined(await one.status())
    aws.close()
  })
})
