# From the description that abidw makes: a line for each virtual function of our classes, "CLASS PLACE MANGLED_NAME". abidiff does not
# compare what only plugins implement, and that is what they are called through.
/<class-decl / { depth++; match($0, / name='[^']*'/); class[depth] = substr($0, RSTART + 7, RLENGTH - 8); if (/\/>$/) depth-- }
/<\/class-decl>/ { depth-- }
/<member-function / { place = match($0, /vtable-offset='[0-9]+'/) ? substr($0, RSTART + 15, RLENGTH - 16) : "" }
/<\/member-function>/ { place = "" }
/<function-decl / && place != "" && match($0, /mangled-name='_ZNK?11autoarchive[^']*'/) {
  print class[depth], place, substr($0, RSTART + 14, RLENGTH - 15)
}
