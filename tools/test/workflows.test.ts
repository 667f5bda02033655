import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { actionOf, at, entries, items, workflowOf } from "../workflows/template.ts"
import { complaints } from "../workflows/validate.ts"
import { fencesOf } from "./fences.ts"
import { files, read, root } from "./repository.ts"

const deployment = ".github/workflows/coordinated-deployment.yml"
const monitoring = ".github/workflows/deployment-monitoring.yml"
const action = "actions/coordinate/action.yml"
const workflows = files(join(root, ".github/workflows"))

describe("the workflows and the action", () => {
  it("are found", () => {
    expect(workflows).toEqual(expect.arrayContaining([deployment, monitoring]))
  })

  it.each([...workflows, action])("%s is valid for GitHub, and names only declared things", async (path) => {
    expect(await complaints(path)).toEqual([])
  })

  it.each([...workflows, action])("%s pins foreign actions to commits, and names their versions", (path) => {
    const others = [...read(path).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].filter(([, uses]) => !uses!.startsWith("$/"))
    for (const [, uses] of others) expect(uses).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it.each([
    [deployment, "jobs:\n", "jbos:\n", "Unexpected value 'jbos'"],
    [deployment, "runs-on: ${{ inputs.runs-on }}", "runs_on: ubuntu-latest", "Unexpected value 'runs_on'"],
    [deployment, "inputs.artifact }}", "inputs.artefact }}", "Context access might be invalid: artefact"],
    [deployment, "secrets.otlp-headers }}", "secrets.otlp }}", "no secret otlp"],
    [deployment, "jobs.deploy.outputs.url", "jobs.deploy.outputs.uri", "Context access might be invalid: uri"],
    [deployment, "needs.deploy.outputs.verification ==", "needs.deploy.outputs.verified ==", "verified"],
    [deployment, "steps.verify.outputs.outcome", "steps.verified.outputs.outcome", "verified"],
    [deployment, "steps.verify.outputs.outcome", "steps.verify.outputs.verdict", "no output of verify verdict"],
    [deployment, "${{ always() && !cancelled()", "${{ always( && !cancelled()", "Unexpected symbol"],
    [deployment, "          artifact: ${{", "          artefact: ${{", "artefact"],
    [deployment, "needs: deploy", "needs: deployment", "deployment"],
    [monitoring, "type: number", "type: integer", "integer"],
    [monitoring, "uses: $/actions/coordinate", "uses: actions/coordinate", "Expected format {owner}/{repo}"],
    [action, "using: node24", "using: node25", "node25"],
    [action, "post-if: always()", "post-when: always()", "post-when"]
  ])("%s would not pass with %j as %j", async (path, right, wrong, complaint) => {
    const text = read(path)
    expect(text).toContain(right)
    expect(
      (
        await complaints(
          path,
          text.replace(right, () => wrong)
        )
      ).join("\n")
    ).toContain(complaint)
  })

  it("the action has its entry points, and cleans up whatever happens", () => {
    const runs = at(actionOf(action, read(action)), "runs")
    expect(Object.fromEntries(entries(runs).map(([name, value]) => [name, value.toString()]))).toEqual({
      using: "node24",
      main: "main.mjs",
      post: "post.mjs",
      "post-if": "always()"
    })
    for (const entry of ["main", "post"]) {
      expect(existsSync(join(root, dirname(action), at(runs, entry)!.toString()))).toBe(true)
    }
  })

  it("the action needs nothing but Node", () => {
    const modules = files(join(root, dirname(action))).filter((path) => path.endsWith(".mjs"))
    expect(modules.length).toBeGreaterThan(2)
    const imports = modules.flatMap((path) => [...read(path).matchAll(/ from "([^"]+)"/g)].map(([, name = ""]) => name))
    expect(imports.filter((name) => !/^(node:|\.\.?\/)/.test(name))).toEqual([])
  })

  it.each([deployment, monitoring])("%s may read the repository, and nothing else", async (path) => {
    const { tree } = await workflowOf(path, read(path))
    const permissions = (token = tree) =>
      Object.fromEntries(entries(at(token, "permissions")).map(([name, value]) => [name, value.toString()]))
    expect(permissions()).toEqual({ contents: "read" })
    for (const [, job] of entries(at(tree, "jobs"))) {
      expect(permissions(job)).toEqual({ contents: "read" })
      expect(at(job, "timeout-minutes")).toBeDefined()
      for (const step of items(at(job, "steps"))) {
        if (at(step, "uses")?.toString().startsWith("actions/checkout") === true) {
          expect(at(step, "with", "persist-credentials")?.toString()).toBe("false")
        }
        // What a caller gives reaches a shell as a variable, never as a part of the script.
        expect(at(step, "run")?.toString() ?? "").not.toContain("${{")
      }
    }
  })
})

describe("docs/github-actions.md", () => {
  const page = read("docs/github-actions.md")
  /** The rows of the table whose first title this is, behind a heading: the name, and the last cell. */
  const rows = (heading: string, title: string) => {
    const [, rest = ""] = page.split(`\n${heading}\n`)
    const [, table = ""] = new RegExp(`^\\| ${title} .*\\|\\n\\|[- |]+\\|\\n((?:\\|.*\\n)+)`, "m").exec(rest) ?? []
    return table
      .trim()
      .split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
      .map((cells) => [cells[1]!, cells.at(-2)!] as const)
  }

  it("has every input of the workflow, with its default", async () => {
    const { tree } = await workflowOf(deployment, read(deployment))
    const declared = entries(at(tree, "on", "workflow_call", "inputs")).map(([name, input]) => [
      name,
      at(input, "required") === undefined ? (at(input, "default")?.toString() ?? "") : "required"
    ])
    // Defaults that follow from something else are described in words.
    const words = new Map([
      ["version", "the commit"],
      ["stacks", "all"],
      ["correlation-id", "drawn"],
      ["signalbox", "see below"]
    ])
    expect(new Map(rows("### Inputs", "input"))).toEqual(
      new Map(declared.map(([name = "", preset = ""]) => [name, words.get(name) ?? preset]))
    )
  })

  it("names every input and output of the other workflow, and the secrets of both", async () => {
    for (const path of [deployment, monitoring]) {
      const call = at((await workflowOf(path, read(path))).tree, "on", "workflow_call")
      const keys = path === deployment ? ["secrets", "outputs"] : ["secrets", "outputs", "inputs"]
      for (const [name] of keys.flatMap((key) => entries(at(call, key)))) expect(page).toContain(`\`${name}\``)
    }
  })

  it("has every input and output of the action, except the internal one", () => {
    const manifest = actionOf(action, read(action))
    const inputs = entries(at(manifest, "inputs")).map(([name]) => name)
    expect(rows("## The action", "input").map(([name]) => name)).toEqual(inputs.filter((name) => name !== "job-status"))
    for (const [name] of entries(at(manifest, "outputs"))) expect(page).toContain(`\`${name}\``)
  })

  const examples = fencesOf("docs/github-actions.md").filter(({ language }) => language === "yaml")

  it.each(examples)("$at is a workflow", async ({ at, code }) => {
    const text = code.replaceAll("<owner>", "octo-org").replaceAll("<commit>", "0".repeat(40))
    expect(
      await complaints(at, text.replace("      environment: production", "      enviroment: production"))
    ).not.toEqual([])
    expect(await complaints(at, /^on:/m.test(text) ? text : `on: push\n${text}`)).toEqual([])
  })
})
