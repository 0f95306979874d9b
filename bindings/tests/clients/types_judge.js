// What is wrong with a value, by the type that a library declares for it: TypeScript's compiler knows the type, and
// this walks the value along it.  A plain compilation would name one field of each object; this names them all.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const ts = createRequire(import.meta.url)("typescript");
const FILE = path.join(import.meta.dirname, "answers.ts"); // beside the packages: their types are found from there
const OPTIONS = { noEmit: true, strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };

const ANYTHING = ts.TypeFlags.Any | ts.TypeFlags.Unknown;
const OBJECTS = ts.TypeFlags.Object | ts.TypeFlags.Intersection;

let checker;

const LEAVES = { // what a value that holds no others may be declared as
  string: ts.TypeFlags.StringLike, number: ts.TypeFlags.NumberLike | ts.TypeFlags.BigIntLike,
  bigint: ts.TypeFlags.NumberLike | ts.TypeFlags.BigIntLike, boolean: ts.TypeFlags.BooleanLike,
};

function fits(value, type) {
  if (value === null) return (type.flags & ts.TypeFlags.Null) !== 0;
  if (!(type.flags & (LEAVES[typeof value] ?? 0))) return false;
  if (type.flags & ts.TypeFlags.BooleanLiteral) return type.intrinsicName === String(value);
  return !type.isLiteral() || type.value === value;
}

/** The name by which the library knows a type, or "" for one without a name. */
function nameOf(type) {
  const name = type.aliasSymbol?.name ?? type.symbol?.name ?? "";
  return /^(__type|__object|Array)$/.test(name) ? "" : name.replace(/\$\d+$/, "");
}

function ofArray(value, type, where) {
  if (checker.isTupleType(type)) {
    const items = checker.getTypeArguments(type);
    if (items.length !== value.length) return [`${where}: ${value.length} items, not ${items.length}`];
    return value.flatMap((item, i) => differences(item, items[i], `${where}[${i}]`));
  }
  const item = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (!item) return [`${where}: an array, not ${checker.typeToString(type)}`];
  return value.flatMap((one) => differences(one, item, `${where}[]`));
}

function ofObject(value, type, where) {
  if (type.flags & ts.TypeFlags.NonPrimitive) return []; // `object`: any
  if (!(type.flags & OBJECTS) || checker.getIndexTypeOfType(type, ts.IndexKind.Number)) {
    return [`${where}: an object, not ${checker.typeToString(type)}`];
  }
  const declared = new Map(checker.getPropertiesOfType(type).map((property) => [property.name, property]));
  const others = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  const at = nameOf(type) || where;
  const wrong = Object.entries(value).flatMap(([name, part]) => {
    const known = declared.has(name) ? checker.getTypeOfSymbol(declared.get(name)) : others;
    return known ? differences(part, known, `${at}.${name}`) : [`${at}.${name}: unknown`];
  });
  for (const [name, property] of declared) {
    if (!(name in value) && !(property.flags & ts.SymbolFlags.Optional)) wrong.push(`${at}.${name}: missing`);
  }
  return wrong;
}

/** Of several types those that a value may be meant to have: by what is constant in them, if anything is. */
function likely(value, types) {
  const same = types.filter((type) => type.flags & OBJECTS
    && Boolean(checker.getIndexTypeOfType(type, ts.IndexKind.Number)) === Array.isArray(value));
  const meant = same.filter((type) => checker.getPropertiesOfType(type).every((property) => {
    const known = checker.getTypeOfSymbol(property);
    return !known.isLiteral() || value[property.name] === undefined || known.value === value[property.name];
  }));
  return [meant, same, types].find((list) => list.length > 0);
}

/** All that is wrong, as lines "Type.field: what"; of several types, by the one that fits best. */
function differences(value, type, where) {
  if (type.flags & ANYTHING) return [];
  if (typeof value !== "object" || value === null) {
    const types = type.isUnion() ? type.types : [type];
    if (types.some((one) => fits(value, one))) return [];
    return [`${where}: ${JSON.stringify(value)}, not ${checker.typeToString(type)}`];
  }
  if (type.isUnion()) {
    const each = likely(value, type.types).map((one) => differences(value, one, where));
    return each.reduce((best, one) => (one.length < best.length ? one : best));
  }
  return Array.isArray(value) ? ofArray(value, type, where) : ofObject(value, type, where);
}

/**
 * What is wrong with each row, as a list of lines without doubles.
 *   prelude   TypeScript: what the rows' expressions need
 *   rows      { name: "face: call", expression: TypeScript, whose type is the declared one; value }
 */
export function judge(prelude, rows) {
  fs.writeFileSync(FILE, prelude + rows.map((row, i) => `export const a${i} = ${row.expression};\n`).join(""));
  const program = ts.createProgram([FILE], OPTIONS);
  const file = program.getSourceFile(FILE);
  checker = program.getTypeChecker();
  const declared = file.statements.filter(ts.isVariableStatement).slice(-rows.length);
  return rows.map((row, i) => {
    const type = checker.getTypeAtLocation(declared[i].declarationList.declarations[0].name);
    if (type.flags & ANYTHING) return ["no type is declared"];
    return [...new Set(differences(row.value, type, row.name.split(": ").pop()))];
  });
}
