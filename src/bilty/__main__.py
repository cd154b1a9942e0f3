from bilty.cli import main

main()
