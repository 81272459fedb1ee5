/** @file YAML syntax errors in the reader's words. The parser's own messages quote the file, which may hold a secret. */

const MEANINGS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'an alias (*name) refers to no anchor (&name) before it',
  BAD_DIRECTIVE: 'a line that starts with % is a directive, which a job file does not need',
  BAD_DQ_ESCAPE: 'a backslash in double quotes is no valid escape; use single quotes',
  BAD_INDENT:
    'the indentation does not fit the lines above: use the same spaces for one level, and close every { and [ before',
  BAD_PROP_ORDER: 'an anchor or tag stands at the wrong place',
  BAD_SCALAR_START: 'a value cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a block cannot stand on the line of its key; start it on the next line',
  BLOCK_IN_FLOW: 'a block cannot stand inside { } or [ ]',
  DUPLICATE_KEY: 'this key was given before in the same mapping; remove one of them',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line and be followed by a colon',
  MULTIPLE_ANCHORS: 'a value has two anchors (&name)',
  MULTIPLE_DOCS: 'there is a second document after ---; a job file is one document',
  MULTIPLE_TAGS: 'a value has two tags',
  RESOURCE_EXHAUSTION: 'the nesting is too deep',
  TAB_AS_INDENT: 'there is a tab in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known; remove it',
  UNEXPECTED_TOKEN:
    'something stands where YAML allows nothing; check quotes and indentation above',
  MANY_ALIASES: 'there are more than 50 aliases (*name); write the values out',
  NESTED_ALIAS: 'an alias (*name) stands inside a block that has an anchor (&name); write it out',
  BAD_COLLECTION_TYPE: 'a tag does not fit its value; remove it',
}

/** What the error means, and what to do; never text of the file. */
export function describeSyntaxError(code: string): string {
  return MEANINGS[code] ?? `this is not YAML (${code})`
}
