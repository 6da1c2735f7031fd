program schedule
  implicit none
  type :: job
     integer :: start
     integer :: finish
     character(len=16) :: name
  end type job
  type(job), allocatable :: jobs(:)
  type(job) :: t
  integer :: n, i, j, last, taken

  read (*, *) n
  allocate (jobs(n))
  do i = 1, n
     read (*, *) jobs(i)%name, jobs(i)%start, jobs(i)%finish
  end do
  ! insertion sort by the time at which a job ends
  do i = 2, n
     t = jobs(i)
     j = i - 1
     do while (j >= 1)
        if (jobs(j)%finish <= t%finish) exit
        jobs(j + 1) = jobs(j)
        j = j - 1
     end do
     jobs(j + 1) = t
  end do
  last = -huge(last)
  taken = 0
  do i = 1, n
     if (jobs(i)%start >= last) then
        print '(a,i0,a,i0)', trim(jobs(i)%name) // ' ', jobs(i)%start, '-', jobs(i)%finish
        last = jobs(i)%finish
        taken = taken + 1
     end if
  end do
  print '(i0,a)', taken, ' jobs'
end program schedule
