# What the script service of `fakedove serve` runs unless it is told otherwise.
echo "hello ${*:-world}"
