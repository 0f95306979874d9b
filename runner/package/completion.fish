# fish completion of smcrun(1)

set -l table '
@TABLE@
'
set -l others
for line in (string split \n -- $table)
    set -l row (string split '|' -- $line)
    test "$row[4]" = operand; and test $row[1] != run; and set -a others $row[1]
end

function __smcrun_is -a command -d 'Is this the command that is being typed?'
    set -l typed (commandline -opc)
    if contains -- "$typed[2]" $argv[2..-1]
        test $typed[2] = $command
    else
        test $command = run
    end
end

complete -c smcrun -f # files only where they are meant
for line in (string split \n -- $table)
    set -l row (string split '|' -- $line)
    test (count $row) -eq 7; or continue
    set -l here "__smcrun_is $row[1] $others"
    set -l what -d $row[7]
    switch $row[5]
        case file scenario
            set -a what -r -F
        case folder
            set -a what -x -a '(__fish_complete_directories)'
        case words report
            set -a what -x -a $row[6]
        case '*'
            test $row[4] = value; and set -a what -x
    end
    set -l short (string sub -s 2 -- $row[3])
    test -z "$short"; or set -a what -s $short
    switch $row[4]
        case operand
            complete -c smcrun -n 'test (count (commandline -opc)) -eq 1' -a $row[1] -d $row[7]
            test $row[5] = anything; or complete -c smcrun -n $here $what
        case '*'
            complete -c smcrun -n $here -l (string sub -s 3 -- $row[2]) $what
    end
end
