"""What is carried to hosts: ``guard.sh``, plain POSIX shell."""
