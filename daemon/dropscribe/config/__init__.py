"""From a YAML file to frozen rules, or to every problem in it at once.

`load` is the way in, `values` is what comes out. On the way: `places` (where the file is), `positions`
(YAML, and where each key stands), `schema` (keys, kinds, defaults), `pieces` (one piece wrong leaves the
others to be checked), `resolve` (paths, prompts, inherited keys), `overlaps` (inboxes in each other's way),
`findings` (problems as lines). `example` writes the schema down for people, `dropscribe.schema.json` for
editors.
"""
